#!/usr/bin/env python3
"""Lists deployments, then follows one to its end: a client that knows nothing of Towpath but its address.

It has no generated code. What the services and messages are, it asks the server by gRPC reflection, as any tool would. It prints one JSON
object per line: first the list, then each update. The exit code is 0 when the deployment that it followed succeeded, 1 otherwise.
"""

import argparse
import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

# The messages of v1 and v1alpha are the same on the wire; only the name of the service differs.
from grpc_reflection.v1alpha import reflection_pb2

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
SERVICE = "towpath.v1.DeploymentService"

# A deployment waits for people and for time; whoever follows one for longer than this has forgotten it.
WATCH_SECONDS_MAX = 3600


class Contract:
    """What the server says of one of its services."""

    def __init__(self, channel, service):
        self.channel = channel
        self.pool = descriptor_pool.DescriptorPool()
        self.added = set()
        self.add(reflection_pb2.ServerReflectionRequest(file_containing_symbol=service))
        self.service = self.pool.FindServiceByName(service)

    def add(self, request):
        """Adds the files that answer a request, after the files that those need."""
        for file in self.ask(request):
            if file.name in self.added:
                continue
            self.added.add(file.name)
            for needed in file.dependency:
                if needed not in self.added:
                    self.add(reflection_pb2.ServerReflectionRequest(file_by_filename=needed))
            self.pool.Add(file)

    def ask(self, request):
        """Returns the files that the server answers a reflection request with."""
        call = self.channel.stream_stream(
            REFLECTION,
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        answer = next(call(iter([request])))
        if answer.HasField("error_response"):
            raise LookupError(answer.error_response.error_message)
        return [descriptor_pb2.FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]

    def call(self, name, metadata, **fields):
        """Calls a method of the service; the answer is a message, or an iterator of messages."""
        method = self.service.methods_by_name[name]
        request, response = (message_factory.GetMessageClass(of) for of in (method.input_type, method.output_type))
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        stub = kind(
            f"/{self.service.full_name}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return stub(request(**fields), metadata=metadata, timeout=WATCH_SECONDS_MAX)


def show(kind, message):
    """Prints a message as one line of JSON."""
    print(json.dumps({"kind": kind, **json_format.MessageToDict(message)}), flush=True)


def arguments():
    """Returns what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=pathlib.Path, help="the server's data folder: says where it is, and holds the token")
    parser.add_argument("--server", help="HOST:PORT; without it, the data folder says where")
    parser.add_argument("--token-file", type=pathlib.Path, help="the file with the token; without it, the one in the data folder")
    parser.add_argument("deployment", nargs="?", help="which to follow; without it, the newest")
    asked = parser.parse_args()
    if not asked.data_dir and not (asked.server and asked.token_file):
        parser.error("give --data-dir, or --server and --token-file")
    return asked


def main():
    """Lists, then watches."""
    asked = arguments()
    server = asked.server or json.loads((asked.data_dir / "server.json").read_text())["address"]
    token = (asked.token_file or asked.data_dir / "token").read_text().strip()
    metadata = [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel(server) as channel:
        contract = Contract(channel, SERVICE)
        listed = contract.call("List", metadata)
        show("list", listed)
        deployment = asked.deployment or next((known.id for known in listed.deployments), None)
        if deployment is None:
            print("error: there is no deployment to follow", file=sys.stderr)
            return 1
        last = None
        for update in contract.call("Watch", metadata, deployment_id=deployment):
            show("update", update)
            last = update.deployment
    return 0 if last is not None and last.ended and last.phase == "succeeded" else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (grpc.RpcError, LookupError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
