"""A gRPC server with the health protocol, for the tests: grpcio serves, protobuf reads and writes the messages.

Says its port on standard output and ends with standard input. The argument is JSON: {"cert": path, "key": path} for TLS,
or {}. The metadata `authorization: Bearer good` is asked for by the part named `locked`.
"""

import json
import sys
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

file = descriptor_pb2.FileDescriptorProto(name="health.proto", package="grpc.health.v1", syntax="proto3")
request = file.message_type.add(name="HealthCheckRequest")
request.field.add(name="service", number=1, type=9, label=1)
answer = file.message_type.add(name="HealthCheckResponse")
status = answer.enum_type.add(name="ServingStatus")
for number, name in enumerate(["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]):
    status.value.add(name=name, number=number)
answer.field.add(name="status", number=1, type=14, label=1, type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus")
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
factory = message_factory.MessageFactory(pool)
Request = factory.GetPrototype(pool.FindMessageTypeByName("grpc.health.v1.HealthCheckRequest"))
Answer = factory.GetPrototype(pool.FindMessageTypeByName("grpc.health.v1.HealthCheckResponse"))

STATUS = {"": 1, "acme.Orders": 1, "acme.Billing": 2, "acme.New": 0, "locked": 1, "slow": 1}


def check(message, context):
    if message.service not in STATUS:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    metadata = dict(context.invocation_metadata())
    if message.service == "locked" and metadata.get("authorization") != "Bearer good":
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
    if message.service == "slow":
        import time

        time.sleep(5)
    return Answer(status=STATUS[message.service])


options = json.loads(sys.argv[1])
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
method = grpc.unary_unary_rpc_method_handler(check, Request.FromString, Answer.SerializeToString)
name = options.get("name", "grpc.health.v1.Health")
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Check": method}),))
if "cert" in options:
    with open(options["key"], "rb") as key, open(options["cert"], "rb") as cert:
        credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
