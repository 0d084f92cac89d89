"""The web server's entry point: `granian --interface wsgi portal.wsgi:application`.

What Webex Connect posts takes a way of its own: the same Django, routes and view, without the middleware, which is for people's pages
(sessions, sign-in, CSRF, security headers), cost a third of a receipt's time, and answers a Host that it does not know with a 400 that
the provider does not repeat.
"""

import os
from collections.abc import Iterable
from typing import Any

import django
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup(set_prefix=False)


class _Bare(WSGIHandler):
    """Routes and views only."""

    def load_middleware(self, is_async: bool = False) -> None:
        del is_async
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]


PROVIDERS = ("/receipts/", "/inbound/")
_pages, _receipts = WSGIHandler(), _Bare()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI."""
    handler = _receipts if environ.get("PATH_INFO", "").startswith(PROVIDERS) else _pages
    return handler(environ, start_response)
