"""A WebSocket server for the tests, by the package `websockets`.

Says its port on standard output and ends with standard input. The argument is JSON: {"cert": path, "key": path} for TLS,
or {}. What it does follows from the path.
"""

import asyncio
import http
import json
import logging
import ssl
import sys

import websockets

# Clients of the tests leave as they like.
logging.getLogger("websockets").setLevel(logging.CRITICAL)

STATUS = {"/missing": 404, "/locked": 401, "/busy": 503, "/web": 200}


async def before(path, headers):
    if path == "/token" and headers.get("authorization") == "Bearer good":
        return None
    status = 403 if path == "/token" else STATUS.get(path)
    if status:
        return http.HTTPStatus(status), [("x-why", "the tests")], b"not here\n"


async def serve(socket):
    if socket.path == "/greeting":
        await socket.send(json.dumps({"hello": "world", "parts": [1, 2]}))
    elif socket.path == "/huge":
        await socket.send("x" * (2 * 1024 * 1024))
    elif socket.path == "/close":
        await socket.close(1011, "out of order")
    elif socket.path == "/policy":
        await socket.close(1008, "go away")
    else:
        async for message in socket:
            await socket.send(message)
    await socket.wait_closed()


async def main(options):
    tls = None
    if "cert" in options:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options["cert"], options["key"])
    server = await websockets.serve(serve, "127.0.0.1", 0, process_request=before, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main(json.loads(sys.argv[1])))
