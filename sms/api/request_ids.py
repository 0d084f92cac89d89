"""The name of one request, ours always: in the header `Request-Id` of its answer, in its problem, and in its lines of the log.

What a caller sends under such a name is not taken over: two callers could choose the same, and what they write would stand in our log.
"""

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from structlog.contextvars import bound_contextvars, get_contextvars

HEADER = "Request-Id"
IN_LOG = "request_id"
LENGTH = 20
_ENVIRON = "textdesk.request_id"
_ALPHABET = string.ascii_letters  # no digits, which the log would take for a number and hide


def of_environ(environ: dict[str, Any]) -> str:
    """The same however often it is asked for: the front, the middleware and the log each do."""
    found: str = environ.get(_ENVIRON, "")
    if not found:
        pool = secrets.token_bytes(LENGTH)
        found = environ[_ENVIRON] = "req_" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in pool)
    return found


def known(environ: dict[str, Any]) -> str:
    """The name that it was given; empty where it has none."""
    return str(environ.get(_ENVIRON, ""))


def current() -> str:
    """Of the request that this thread, or this task, is about; empty outside of one."""
    return str(get_contextvars().get(IN_LOG, ""))


@contextmanager
def about(environ: dict[str, Any]) -> Iterator[str]:
    """What is logged and answered within is about this request."""
    request_id = of_environ(environ)
    with bound_contextvars(**{IN_LOG: request_id}):
        yield request_id
