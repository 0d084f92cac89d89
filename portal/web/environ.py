"""What a WSGI application is told of a request, made of what an ASGI server says. Called by `portal.web.front`.

A header whose name has an underscore is dropped: WSGI gives it the name of another one, so that a caller could say beside
`X-Forwarded-For`, which our proxy writes, an `X_Forwarded_For` that the proxy passes on.
"""

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

ALWAYS: Environ = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Textdesk",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
WITHOUT_HTTP = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_names: dict[bytes, str] = {}  # by what came, lower case; bounded, since callers choose it
MOST_NAMES = 500


def environ_of(scope: dict[str, Any]) -> Environ:
    """Without the body, which is put into `wsgi.input` once it is there."""
    raw = scope["raw_path"]
    host, port = scope["server"]
    environ = ALWAYS | {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
    }
    for written, value in scope["headers"]:
        name = _names.get(written) or _name(written)
        if not name:
            continue
        text = value.decode("latin-1") if value.isascii() else ""  # as the server's own WSGI has it
        if name not in environ:
            environ[name] = text
        else:
            environ[name] += (";" if name == "HTTP_COOKIE" else ",") + text
    return environ


def _name(written: bytes) -> str:
    if b"_" in written:
        return ""
    name = WITHOUT_HTTP.get(written) or "HTTP_" + written.decode("latin-1").replace("-", "_").upper()
    if len(_names) < MOST_NAMES:
        _names[written] = name
    return name
