"""What stands before Django: it takes each request whole, then gives it a thread of its kind. Called by the server through `portal.asgi`.

Whoever sends slowly, or reads slowly, occupies memory that is counted, and no thread. The provider's posts, partners' programs, people's
pages and operators' probes each have threads of their own. Why it is so: docs/decisions/0026.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, close_old_connections
from django.http import HttpResponse

from portal.body_limits import (
    AWAY,
    BODILESS,
    OF_OPERATORS,
    BodyLimit,
    BodyRefused,
    is_http2,
    limit_of,
    refusal,
)
from portal.machines import normal
from portal.web.answers import Answered, answerer, of_response
from portal.web.asking_again import AskingAgain, CallerGone
from portal.web.environ import Environ, environ_of
from portal.web.lanes import LaneFull, ThreadLane
from portal.web.reading import BUSY, Body, BodyRoom, Receive, read
from portal.web.waiting import TooSlow, waiting
from sms.api.v1.idle_parts import BODY_NOT_TAKEN
from sms.models.sql.availability import database
from sms.models.sql.limits import WorkKind
from sms.values.meters import meters

log = structlog.get_logger(__name__)

REFUSED = "textdesk_requests_refused_total"  # before Django, so that its counts of requests have none of them
READER = 60.0  # seconds in which a reader takes a piece
# Read and thrown away behind a refusal: a connection that is closed while bytes still come is reset, and its answer lost.
THROWN_AWAY = 1_000_000_000
THROWN_AWAY_FOR = 60.0  # seconds
AHEAD_OF_ANSWER = 5.0  # seconds
ALIVE = of_response(
    HttpResponse(
        "ok\n",
        content_type="text/plain",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Length": "3"},
    )
)

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Front:
    """An ASGI application before Django's WSGI one. One for the process."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.lanes = {
            "provider": ThreadLane("provider", threads=8, room=1000, work=WorkKind.POST),
            "partners": ThreadLane("partners", threads=6, room=200, work=WorkKind.PROGRAM),
            "people": ThreadLane("people", threads=8, room=400),
            "operators": ThreadLane("operators", threads=2, room=100, work=WorkKind.PROBE),
        }
        self.memory = {name: BodyRoom(128_000_000) for name in self.lanes}
        self.asking_again = AskingAgain()
        self._answer: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._answer is None:
            self._answer = answerer(self.application, asyncio.get_running_loop())
        environ = environ_of(scope)
        if normal(environ["PATH_INFO"]) == "/healthz" and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            await _give(ALIVE, send)  # from the loop, which nobody can take for longer than a moment
            return
        limit = limit_of(environ)
        name = _lane(limit)
        lane, body = self.lanes[name], Body(self.memory[name])
        try:
            if database.shut() and name in ("people", "partners") and not _is_static(environ):
                raise BodyRefused(503, AWAY)
            if environ["REQUEST_METHOD"] in BODILESS:
                length, streamed = (
                    environ.pop(name, "") for name in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")
                )
                environ[BODY_NOT_TAKEN] = (
                    length or streamed
                )  # for those who refuse what nothing would come of
            else:
                await read(environ, receive, body, limit, lambda environ: _ask(lane, limit, environ))
            again = self.asking_again(environ, receive, lambda environ: lane.run(self._answer, environ))
            await _give(await again, send)
        except CallerGone:
            log.info("caller_gone_while_waiting", address=limit.name)
        except LaneFull:
            await _refuse(BodyRefused(503, BUSY), environ, limit, lane, send)
        except BodyRefused as refused:
            still_comes = (
                refused.status in (413, 415, 429) or refused.words == AWAY
            ) and "HTTP_EXPECT" not in environ
            if still_comes:
                body.close()
                # curl waits for leave to send its rest, and does so for ever where the answer overtakes that
                if is_http2(environ):
                    still_comes = not await _throw_away(receive, AHEAD_OF_ANSWER)
            await _refuse(refused, environ, limit, lane, send)
            if still_comes:
                await _throw_away(receive, THROWN_AWAY_FOR)
        finally:
            body.close()


def _is_static(environ: Environ) -> bool:
    return environ["PATH_INFO"].startswith(settings.STATIC_URL)


def _lane(limit: BodyLimit) -> str:
    if limit.name in ("/receipts", "/inbound"):
        return "provider"
    if limit.name in OF_OPERATORS:
        return "operators"
    return "people" if limit.name == "/" else "partners"


async def _ask(lane: ThreadLane, limit: BodyLimit, environ: Environ) -> str:
    """Who sends it; the database knows, so it is asked in a thread."""

    def job(environ: Environ, deliver: Callable[[str], None]) -> None:
        close_old_connections()
        try:
            deliver(limit.caller(environ) if limit.caller else "")
        finally:
            close_old_connections()

    try:
        found: str = await lane.run(job, environ)
    except Error:
        raise BodyRefused(503, BUSY) from None
    return found


async def _refuse(
    refused: BodyRefused, environ: Environ, limit: BodyLimit, lane: ThreadLane, send: Send
) -> None:
    answered = of_response(refusal(environ, limit, refused))
    meters.add(REFUSED, lane=lane.name, status=str(answered.status))
    if not is_http2(environ):
        answered.headers.append((b"connection", b"close"))
    await _give(answered, send)


async def _give(answered: Answered, send: Send) -> None:
    await send({"type": "http.response.start", "status": answered.status, "headers": answered.headers})
    rest = answered.rest
    if rest is None:
        await send({"type": "http.response.body", "body": answered.body})
        return
    clock = asyncio.get_running_loop().time
    try:
        await send({"type": "http.response.body", "body": answered.body, "more_body": True})
        async for piece in rest.pieces():
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            await waiting.wait(send(message), clock() + READER)
        await send({"type": "http.response.body", "body": b""})
    except TooSlow:
        log.info("answer_read_too_slowly")
    finally:
        rest.give_up()


async def _throw_away(receive: Receive, seconds: float) -> bool:
    """Whether the body came to its end."""
    until, left = asyncio.get_running_loop().time() + seconds, THROWN_AWAY
    try:
        while left > 0:
            message = await waiting.wait(receive(), until)
            left -= len(message.get("body", b""))
            if not message.get("more_body"):
                return True
    except TooSlow:
        pass
    return False
