"""Every request's body, read to its end before Django sees the request and up to the limit of its address. Called by `portal.wsgi`,
under a server that gives a thread to each request; ours reads them in `portal.web.reading`.

Django reads as many bytes as Content-Length says, and none where it is missing: chunked requests, and most over HTTP/2. The web server
ends a body that breaks off as it ends a whole one, without an error. So one that is shorter than its length is refused, and one without
a length where its content shows that the end is missing. Form fields without a length show nothing; browsers give one.
"""

import io
from tempfile import SpooledTemporaryFile
from typing import Any

from django.http import HttpResponse

from portal.body_limits import (
    BODILESS,
    IN_MEMORY,
    BodyLimit,
    BodyRefused,
    Environ,
    broke_off,
    is_http2,
    lacks_its_end,
    limit_of,
    refusal,
    refuse_encoded,
    too_large,
)

PIECE = 64 * 1024
# Read and thrown away behind the limit: a connection that is closed while bytes still come is reset, and its answer lost.
THROWN_AWAY = 100_000_000


def read(environ: Environ) -> HttpResponse | None:
    """Put the whole body, with its length, in the place of the stream; the answer where it is refused."""
    if environ["REQUEST_METHOD"] in BODILESS:
        return None
    limit = limit_of(environ)
    try:
        length = environ.get("CONTENT_LENGTH")
        if length:
            _read_counted(environ, length, limit)
        elif environ.get("wsgi.input_terminated"):  # otherwise there is no telling where it ends
            _read_open(environ, limit)
        refuse_encoded(environ, limit)
    except BodyRefused as refused:
        return refusal(environ, limit, refused)
    return None


def close(environ: Environ) -> None:
    """Let a temporary file go."""
    if isinstance(environ["wsgi.input"], SpooledTemporaryFile):
        environ["wsgi.input"].close()


def _most(environ: Environ, limit: BodyLimit) -> int:
    return limit.most if limit.caller is None or limit.caller(environ) else limit.of_strangers


def _read_counted(environ: Environ, written: str, limit: BodyLimit) -> None:
    if not written.isdecimal():
        raise broke_off()
    length, most = int(written), limit.most
    if limit.of_strangers < length <= most:
        most = _most(environ, limit)
    if length > most:
        if "HTTP_EXPECT" not in environ and not is_http2(environ):  # the caller sends it without asking
            _throw_away(environ["wsgi.input"])
        raise too_large(limit, most)
    if _copy(environ, length) < length:
        raise broke_off()


def _read_open(environ: Environ, limit: BodyLimit) -> None:
    stream, most = environ["wsgi.input"], _most(environ, limit)
    size = _copy(environ, most + 1)
    if size > most:
        if not is_http2(environ):
            _throw_away(stream)
        raise too_large(limit, most)
    if lacks_its_end(environ, size, limit):
        raise broke_off()
    environ["wsgi.input"].seek(0)
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _copy(environ: Environ, most: int) -> int:
    """Replace the stream by up to so many bytes of it, and say how many those are.

    Over HTTP/2 it is read in one go: asked for a size, the web server's stream never returns from a body that breaks off, and keeps a
    core busy. A length that is given cannot be exceeded there.
    """
    stream = environ["wsgi.input"]
    if most <= PIECE or is_http2(environ):
        raw = stream.read() if is_http2(environ) else stream.read(most)
        environ["wsgi.input"] = io.BytesIO(raw)
        return len(raw)
    copy = environ["wsgi.input"] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - see `close`
    size = 0
    while size < most and (piece := stream.read(min(PIECE, most - size))):
        copy.write(piece)
        size += len(piece)
    copy.seek(0)
    return size


def _throw_away(stream: Any) -> None:
    left = THROWN_AWAY
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)
