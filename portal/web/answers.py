"""One request through Django, in a thread. Called by `portal.web.front`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.http import HttpResponse

from portal.web.environ import Environ, Headers
from portal.web.outflow import PIECE, Outflow, ReaderGone

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """As an ASGI server is told it; `rest` where more than `body` is still being made."""

    status: int
    headers: Headers
    body: bytes
    rest: Outflow | None = None


def in_bytes(headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def of_response(response: HttpResponse) -> Answered:
    """Of one that Django never saw."""
    return Answered(response.status_code, in_bytes(response.items()), response.content)


def answerer(application: Any, loop: Any) -> Callable[[Environ, Callable[[Answered], None]], None]:
    """What a lane runs: `application` is Django's, by WSGI."""

    def answer(environ: Environ, deliver: Callable[[Answered], None]) -> None:
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: list[tuple[str, str]], _problem: Any = None) -> None:
            begun.append((int(status[:3]), in_bytes(headers)))

        response = application(environ, start)
        try:
            if not getattr(response, "streaming", False):
                deliver(Answered(*begun[0], b"".join(response)))
            else:
                _stream(response, *begun[0], deliver, Outflow(loop))
        finally:
            response.close()

    return answer


def _stream(
    response: Iterable[bytes],
    status: int,
    headers: Headers,
    deliver: Callable[[Answered], None],
    rest: Outflow,
) -> None:
    """A short one goes in one piece."""
    first, pieces = bytearray(), iter(response)
    for piece in pieces:
        first += piece
        if len(first) >= PIECE:
            break
    else:
        deliver(Answered(status, headers, bytes(first)))
        return
    deliver(Answered(status, headers, bytes(first), rest))
    try:
        for piece in pieces:
            rest.write(piece)
    except ReaderGone:
        log.info("answer_not_read_to_its_end")
    finally:
        rest.end()
