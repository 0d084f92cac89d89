"""The short way for what machines post: Webex Connect's receipts and incoming messages, and the partners' `/v2/`.

The first middleware answers them itself, so that the others are for people's pages only (sessions, sign-in, CSRF, security headers).
They cost a third of a receipt's time, and answer a Host that they do not know with a 400 that the provider does not repeat.
"""

import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PATHS = ("/receipts/", "/inbound/", "/v2/")
TRUSTED_FOR = 1.0  # seconds


class MachinesFirst:
    """Routes and views only, for PATHS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._worked_until: dict[int, float] = {}  # by thread, which has its own connection

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """With its length, as `CommonMiddleware` would add it: a server sends what has none in chunks.

        A connection to the database that worked a moment ago is not asked again whether it does. Where it broke since then, the answer
        is 503 and the next request has a new one.
        """
        if not request.path_info.startswith(PATHS):
            return self.get_response(request)
        ours = threading.get_ident()
        if time.monotonic() < self._worked_until.get(ours, 0.0):
            connection.health_check_done = True  # type: ignore[attr-defined]
        match = request.resolver_match = resolve(request.path_info)
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
            if hasattr(response, "render"):
                response.render()
        finally:
            broke = connection.errors_occurred
            self._worked_until[ours] = 0.0 if broke else time.monotonic() + TRUSTED_FOR
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
