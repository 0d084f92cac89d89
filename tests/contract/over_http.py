"""Our own product behind a socket, for examples: a real HTTP server that shares the database connection of the test.

What a request writes is part of the example's transaction, and goes with it. One request is under way at a time.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.test.testcases import QuietWSGIRequestHandler

WAIT = 60.0
REQUESTS = (request_started, request_finished)


class SharingServer(ThreadedWSGIServer):
    def _close_connections(self) -> None:
        """The connection is the test's."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status_code: int
    headers: http.client.HTTPMessage
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class HttpCaller:
    """Calls us as Django's test client does, over a socket. `count` is of all requests that were answered."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
        self.count = 0

    def call(self, method: str, path: str, raw: bytes | str = b"", **headers: str) -> HttpAnswer:
        body = raw.encode() if isinstance(raw, str) else raw
        self.connection.request(method, path, body, {"Host": "testserver"} | headers)
        answer = self.connection.getresponse()
        self.count += 1
        return HttpAnswer(answer.status, answer.headers, answer.read())

    def get(self, path: str, headers: Mapping[str, str]) -> HttpAnswer:
        return self.call("GET", path, **headers)

    def put(self, path: str, raw: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        return self.call("PUT", path, raw, **headers)

    def post(
        self, path: str, raw: bytes | str, *, content_type: str, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        return self.call("POST", path, raw, **{"Content-Type": content_type}, **(headers or {}))


@contextmanager
def our_server() -> Iterator[HttpCaller]:
    shared = {one.alias: one for one in connections.all()}
    for one in shared.values():
        one.inc_thread_sharing()
    for signal in REQUESTS:
        signal.disconnect(
            close_old_connections
        )  # as for Django's test client: the connection is not the request's
    server = SharingServer(("127.0.0.1", 0), QuietWSGIRequestHandler, connections_override=shared)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    caller = HttpCaller(server.server_port)
    try:
        yield caller
    finally:
        caller.connection.close()
        server.shutdown()
        server.server_close()
        thread.join(WAIT)
        for signal in REQUESTS:
            signal.connect(close_old_connections)
        for one in shared.values():
            one.dec_thread_sharing()
