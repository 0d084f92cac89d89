"""Examples of replies: what a provider on a socket answers, and what becomes of the message that was posted to it."""

import json
import re
import select
import socket
from dataclasses import dataclass, field
from typing import Any

from sms.models import MessageState, Service
from tests.contract.asked import SMALLEST
from tests.contract.rows import json_shown
from tests.contract.world import World, the_message
from tests.wire.server import reply, serving


@dataclass(frozen=True, slots=True)
class Raw:
    """A reply: a status, headers, and a body that is written as JSON where it is no text."""

    status: int
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)

    def shown(self) -> str:
        headers = "".join(f" `{name}: {value}`" for name, value in self.headers.items())
        return f"{self.status}{headers}" + (f" `{json_shown(self.body)}`" if self.body else "")

    def written(self) -> bytes:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        named = {name.replace("-", "_"): value for name, value in self.headers.items()}
        return reply(self.status, body.encode(), **named)


ACCEPTED = Raw(201, {"messageId": "m-1", "status": "queued"})
CUT, SILENT, DRIPPING, CLOSED = "the connection breaks", "no answer", "a byte now and then", "no connection"
SHORT = 0.5  # seconds of deadline where an example waits for it


@dataclass(frozen=True, slots=True)
class Replied:
    """What the provider says, and what the message becomes. `heard` are patterns of our request."""

    says: Raw | str
    becomes: str
    heard: tuple[str, ...] = ()
    service: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> str:
        said = self.says.shown() if isinstance(self.says, Raw) else self.says
        return f"{said} → {self.becomes}" + "".join(f", heard `{one}`" for one in self.heard)

    def run(self, world: World) -> None:
        with serving(self._say) as server:
            address = _closed_port() if self.says == CLOSED else server.url
            service = world.service(base_url=address, **self.service)
            assert world.ask(service, SMALLEST).status_code == 201
            world.dispatch(deadline=SHORT if self.says in (SILENT, DRIPPING) else 20.0)
        found = outcome(service)
        assert found == self.becomes, f"the message is {found}"
        if self.says != CLOSED:
            assert len(server.requests) == 1, f"{len(server.requests)} requests"
            for pattern in self.heard:
                head = server.requests[0].decode("latin-1")
                assert re.search(pattern, head, re.IGNORECASE | re.MULTILINE), head

    def _say(self, sock: socket.socket, _: bytes) -> None:
        if isinstance(self.says, Raw):
            sock.sendall(self.says.written())
        elif self.says == CUT:
            sock.shutdown(socket.SHUT_RDWR)
        else:
            for byte in ACCEPTED.written():
                if select.select([sock], [], [], SHORT / 10)[0]:
                    return  # the other side has had enough
                if self.says == DRIPPING:
                    sock.sendall(bytes([byte]))


def outcome(service: Service) -> str:
    """What a person reads of the youngest message."""
    message = the_message()
    service.refresh_from_db(fields=["paused_at"])
    if message.state == MessageState.PENDING:
        return f"waits ({message.code})" + (", and the service is paused" if service.paused_at else "")
    if message.state == MessageState.QUEUED:
        return f"queued as {message.provider_id}"
    return f"{message.state} ({message.code})"


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"
