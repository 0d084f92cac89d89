"""Every request's body, read to its end before Django sees the request and up to the limit of its address. Called by `portal.wsgi`.

Django reads as many bytes as Content-Length says, and none where it is missing: chunked requests, and most over HTTP/2. The web server
ends a body that breaks off as it ends a whole one, without an error. So one that is shorter than its length is refused, and one without
a length where its content shows that the end is missing. Form fields without a length show nothing; browsers give one.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import Any

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import parse_header_parameters

from portal.middleware import SecurityHeaders
from sms.api.drop_in.errors import DropInRefused
from sms.api.v1 import problems
from sms.webex.values import without_bom

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE")
PIECE = 64 * 1024
IN_MEMORY = 1_000_000  # bytes; a longer one is in a temporary file
TAIL = 1024  # bytes in which a form's last boundary stands
# Read and thrown away behind the limit: a connection that is closed while bytes still come is reset, and its answer lost.
THROWN_AWAY = 100_000_000


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """An address's limit in bytes, and how it refuses: with 413, or 400 where the body broke off."""

    prefix: str
    most: int
    refuse: Callable[[Environ, int, str], HttpResponse]
    must_close: bool = False  # it stores what came, so what begins as JSON must end as JSON


class BrokenOff(Exception):
    """The connection closed, or the caller gave up, before the whole body had come."""


class TooLarge(Exception):
    pass


def read(environ: Environ) -> HttpResponse | None:
    """Put the whole body, with its length, in the place of the stream; the answer where it is refused."""
    if environ["REQUEST_METHOD"] in BODILESS:
        return None
    limit = _limit_of(environ.get("PATH_INFO", ""))
    try:
        length = environ.get("CONTENT_LENGTH")
        if length:
            _read_counted(environ, length, limit)
        elif environ.get("wsgi.input_terminated"):  # otherwise there is no telling where it ends
            _read_open(environ, limit)
    except TooLarge:
        status, words = 413, f"The body has more than {limit.most:,} bytes, the most this address takes."
    except BrokenOff:
        status, words = 400, "The body broke off before its end. Nothing of it was kept; send it again."
    else:
        return None
    log.warning("body_refused", address=limit.prefix, status=status)
    return limit.refuse(environ, status, words)


def close(environ: Environ) -> None:
    """Let a temporary file go."""
    if isinstance(environ["wsgi.input"], SpooledTemporaryFile):
        environ["wsgi.input"].close()


def _read_counted(environ: Environ, written: str, limit: BodyLimit) -> None:
    if not written.isdecimal():
        raise BrokenOff
    length = int(written)
    if length > limit.most:
        if "HTTP_EXPECT" not in environ and not _is_http2(environ):  # the caller sends it without asking
            _throw_away(environ["wsgi.input"])
        raise TooLarge
    if _copy(environ, length) < length:
        raise BrokenOff


def _read_open(environ: Environ, limit: BodyLimit) -> None:
    stream = environ["wsgi.input"]
    size = _copy(environ, limit.most + 1)
    if size > limit.most:
        if not _is_http2(environ):
            _throw_away(stream)
        raise TooLarge
    if _lacks_its_end(environ, size, limit):
        raise BrokenOff
    environ["wsgi.input"].seek(0)
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _copy(environ: Environ, most: int) -> int:
    """Replace the stream by up to so many bytes of it, and say how many those are.

    Over HTTP/2 it is read in one go: asked for a size, the web server's stream never returns from a body that breaks off, and keeps a
    core busy. A length that is given cannot be exceeded there.
    """
    stream = environ["wsgi.input"]
    if most <= PIECE or _is_http2(environ):
        raw = stream.read() if _is_http2(environ) else stream.read(most)
        environ["wsgi.input"] = io.BytesIO(raw)
        return len(raw)
    copy = environ["wsgi.input"] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - see `close`
    size = 0
    while size < most and (piece := stream.read(min(PIECE, most - size))):
        copy.write(piece)
        size += len(piece)
    copy.seek(0)
    return size


def _is_http2(environ: Environ) -> bool:
    return environ.get("SERVER_PROTOCOL") == "HTTP/2"


def _throw_away(stream: Any) -> None:
    left = THROWN_AWAY
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)


def _lacks_its_end(environ: Environ, size: int, limit: BodyLimit) -> bool:
    taken = environ["wsgi.input"]
    kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    if limit.must_close:
        return not _closes(taken.read())
    if not size:
        # over HTTP/2 a request without a body has neither a length nor anything else that says so
        return "HTTP_TRANSFER_ENCODING" in environ and kind == "application/json"
    if kind == "multipart/form-data":
        taken.seek(max(0, size - TAIL))
        return f"--{parameters.get('boundary', '')}--".encode() not in taken.read()
    return False


def _closes(raw: bytes) -> bool:
    """Whether it is whole as far as can be seen; what no JSON begins with is set aside where it is applied."""
    text = without_bom(raw).decode("latin-1").lstrip()
    if not text or text[0] not in "{[":
        return bool(text)
    try:
        json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_post(environ: Environ, status: int, words: str) -> HttpResponse:
    """Webex Connect repeats what got 503, and nothing that got 400."""
    del environ, words
    if status == 413:
        return HttpResponse(status=413)
    return HttpResponse(status=503, headers={"Retry-After": "30"})


def _refuse_drop_in(environ: Environ, status: int, words: str) -> HttpResponse:
    """400 for both, as the provider does it."""
    del environ
    if status == 413:
        refused = DropInRefused("7022", "JSON size exceeded", words)
    else:
        refused = DropInRefused("7000", "Invalid JSON", words)
    return HttpResponse(refused.body(), status=refused.status, content_type="application/json")


def _refuse_api(environ: Environ, status: int, words: str) -> HttpResponse:
    del environ
    problem = problems.ApiProblem(status, "too_large" if status == 413 else "unreadable", words)
    return HttpResponse(
        json.dumps(problems.body_of(problem)), status=status, content_type=problems.MEDIA_TYPE
    )


def _refuse_page(environ: Environ, status: int, words: str) -> HttpResponse:
    title = "Too large" if status == 413 else "It did not arrive whole"
    request = WSGIRequest(environ)
    shown = render(
        request, "body_refused.html", {"status": status, "title": title, "words": words}, status=status
    )
    return SecurityHeaders(lambda _: shown)(request)


@cache
def _limits() -> tuple[BodyLimit, ...]:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return (
        BodyLimit(
            "/receipts/", 64 * 1024, _refuse_post, must_close=True
        ),  # nothing genuine is a tenth as long
        BodyLimit("/inbound/", 64 * 1024, _refuse_post, must_close=True),
        BodyLimit(
            "/v2/", min(5_000_000, most), _refuse_drop_in
        ),  # a thousand destinations with long substitutions
        BodyLimit("/api/", most, _refuse_api),
        BodyLimit("/", most, _refuse_page),  # a file and the fields beside it
    )


def _limit_of(path: str) -> BodyLimit:
    limits = _limits()
    return next((limit for limit in limits if path.startswith(limit.prefix)), limits[-1])
