"""A mail server for the tests, on aiosmtpd. Its options are a JSON object in the first argument.

It prints its port when it listens, writes each mail that it takes to DIR/NUMBER.eml and the envelope to
DIR/NUMBER.json, and ends when its standard input does.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    def __init__(self, options):
        self.options = options
        self.tries = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address == self.options.get("unknown"):
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.tries += 1
        if self.tries <= self.options.get("busy", 0):
            return "451 4.3.0 busy, try again later"
        if self.tries <= self.options.get("refuse", 0):
            return "554 5.7.1 this message is not wanted here"
        if self.options.get("hang"):
            open(os.path.join(self.options["dir"], "hanging"), "w").close()
            await asyncio.sleep(3600)
        name = os.path.join(self.options["dir"], str(self.tries))
        with open(name + ".json", "w") as file:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos}, file)
        with open(name + ".part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(name + ".part", name + ".eml")
        if self.tries <= self.options.get("drop", 0):
            server.transport.abort()
        return "250 2.0.0 taken as %d" % self.tries


def tls(options):
    if "certificate" not in options:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])
    return context


def authenticate(options):
    def check(server, session, envelope, mechanism, data):
        known = (options["user"].encode(), options["password"].encode())
        # The answer to a wrong password repeats it, as no server should: ours must hide it.
        if (data.login, data.password) == known:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message="535 5.7.8 not " + data.password.decode())

    return check


async def main():
    options = json.loads(sys.argv[1])
    mailbox = Mailbox(options)
    implicit = options.get("implicit", False)
    arguments = {"enable_SMTPUTF8": True, "hostname": "mail.test"}
    if "user" in options:
        arguments.update(authenticator=authenticate(options), auth_required=True, auth_require_tls=False)
    if not implicit and "certificate" in options:
        arguments.update(tls_context=tls(options), require_starttls=True)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, **arguments),
        "127.0.0.1",
        options.get("port", 0),
        ssl=tls(options) if implicit else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


# A login without TLS is what one of the tests wants; aiosmtpd says at length what it thinks of that.
logging.disable()
warnings.simplefilter("ignore")
asyncio.run(main())
