"""The web server's entry point: `granian --interface wsgi portal.wsgi:application`.

What Webex Connect posts and the partners' `/v2/` take a way of their own: the same Django, routes and views, without the middleware,
which is for people's pages (sessions, sign-in, CSRF, security headers), cost a third of a receipt's time, and answers a Host that it
does not know with a 400 that the provider does not repeat.
"""

import os
import threading
import time
from collections.abc import Iterable
from typing import Any

import django
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup(set_prefix=False)


from portal import bodies  # noqa: E402 - needs Django
from sms.ledger import wakeups  # noqa: E402

wakeups.gather(0.5)  # the queue is looked at twice a second


TRUSTED_FOR = 1.0  # seconds


class _ReceiptHandler(WSGIHandler):
    """Routes and views only."""

    def load_middleware(self, is_async: bool = False) -> None:
        del is_async
        self._worked_until: dict[int, float] = {}  # by thread, which has its own connection
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """With its length, as the middleware would add it: a server sends what has none in chunks.

        A connection to the database that worked a moment ago is not asked again whether it does. Where it broke since then, the answer
        is 503 and the next request has a new one.
        """
        ours = threading.get_ident()
        if time.monotonic() < self._worked_until.get(ours, 0.0):
            connection.health_check_done = True  # type: ignore[attr-defined]
        response = super().get_response(request)
        self._worked_until[ours] = 0.0 if connection.errors_occurred else time.monotonic() + TRUSTED_FOR
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


_pages, machines = WSGIHandler(), _ReceiptHandler()
MACHINES = ("/receipts/", "/inbound/", "/v2/")


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI."""
    try:
        refused = bodies.read(environ)
        if refused is not None:
            start_response(f"{refused.status_code} {refused.reason_phrase}", list(refused.items()))
            return [refused.content]
        handler = machines if environ.get("PATH_INFO", "").startswith(MACHINES) else _pages
        return handler(environ, start_response)
    finally:
        bodies.close(environ)
