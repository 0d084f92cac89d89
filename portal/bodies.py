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

from portal.machines import address_of, as_problem
from portal.middleware import SecurityHeaders
from sms.api.drop_in.dialect import Dialect
from sms.api.drop_in.errors import DropInRefused
from sms.api.drop_in.messaging_v1 import MESSAGING_V1
from sms.api.drop_in.sms_v1 import SMS_V1
from sms.api.drop_in.v2 import V2
from sms.webex.values import without_bom

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE")
PIECE = 64 * 1024
DROP_IN_MOST = 5_000_000  # bytes: a thousand destinations with long substitutions
IN_MEMORY = 1_000_000  # bytes; a longer one is in a temporary file
TAIL = 1024  # bytes in which a form's last boundary stands
# Read and thrown away behind the limit: a connection that is closed while bytes still come is reset, and its answer lost.
THROWN_AWAY = 100_000_000


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """An address's limit in bytes, and how it refuses: with 413, 415, or 400 where the body broke off."""

    most: int
    refuse: Callable[[Environ, int, str], HttpResponse]
    only_plain: bool = False  # no Content-Encoding
    must_close: bool = False  # it stores what came, so what begins as JSON must end as JSON


class BrokenOff(Exception):
    """The connection closed, or the caller gave up, before the whole body had come."""


class TooLarge(Exception):
    pass


class Encoded(Exception):
    """It has a Content-Encoding. To unpack one is to take what may be a thousand times as long, and clients of SMS send none."""


def read(environ: Environ) -> HttpResponse | None:
    """Put the whole body, with its length, in the place of the stream; the answer where it is refused."""
    if environ["REQUEST_METHOD"] in BODILESS:
        return None
    address = address_of(environ.get("PATH_INFO", ""))
    limit = _limits()[address.prefix if address else ""]
    try:
        length = environ.get("CONTENT_LENGTH")
        if length:
            _read_counted(environ, length, limit)
        elif environ.get("wsgi.input_terminated"):  # otherwise there is no telling where it ends
            _read_open(environ, limit)
        if limit.only_plain and environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            raise Encoded
    except Encoded:
        status, words = 415, "The body has a Content-Encoding, and none is taken here. Send it as it is."
    except TooLarge:
        status, words = 413, f"The body has more than {limit.most:,} bytes, the most this address takes."
    except BrokenOff:
        status, words = 400, "The body broke off before its end. Nothing of it was kept; send it again."
    else:
        return None
    log.warning("body_refused", address=address.prefix if address else "/", status=status)
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
    except (ValueError, RecursionError):  # slightly broken is read all the same, if nothing of it is missing
        return text.rstrip()[-1:] in ("}", "]") and text.count("{") <= text.count("}")
    return True


def _refuse_post(_environ: Environ, status: int, _words: str) -> HttpResponse:
    """Webex Connect repeats what got 503, and nothing that got 400."""
    refused = (
        HttpResponse(status=413) if status == 413 else HttpResponse(status=503, headers={"Retry-After": "30"})
    )
    del refused.headers["Content-Type"]
    return refused


def _refuse_drop_in(dialect: Dialect) -> Callable[[Environ, int, str], HttpResponse]:
    """400 for each, as the provider does it."""

    def refuse(_environ: Environ, status: int, words: str) -> HttpResponse:
        code, title = ("7022", "JSON size exceeded") if status == 413 else ("7000", "Invalid JSON")
        return dialect.answer(DropInRefused(code, title, words))

    return refuse


def _refuse_page(environ: Environ, status: int, words: str) -> HttpResponse:
    title = "Too large" if status == 413 else "It did not arrive whole"
    context = {"status": status, "title": title, "words": words}
    request = WSGIRequest(environ)
    shown = render(request, "body_refused.html", context, status=status)
    return SecurityHeaders(lambda _: shown)(request)


@cache
def _limits() -> dict[str, BodyLimit]:
    """By the prefix of `portal.machines.ADDRESSES`, and of people's pages by none."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    of_posts = BodyLimit(64 * 1024, _refuse_post, must_close=True)  # nothing genuine is a tenth as long
    dialects = {"/v2": V2, "/v1": SMS_V1, "/resources": MESSAGING_V1}
    return {
        "/receipts": of_posts,
        "/inbound": of_posts,
        **{
            prefix: BodyLimit(min(DROP_IN_MOST, most), _refuse_drop_in(dialect), only_plain=True)
            for prefix, dialect in dialects.items()
        },
        "/api": BodyLimit(most, lambda _, *says: as_problem(*says), only_plain=True),
        **{path: BodyLimit(1024, _refuse_post) for path in ("/healthz", "/readyz", "/metrics")},
        "": BodyLimit(most, _refuse_page),  # a file and the fields beside it
    }
