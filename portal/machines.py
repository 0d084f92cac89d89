"""What machines call: the partners' addresses, and Webex Connect's receipts and incoming messages. They are never answered HTML, but for
the documentation below `/api/docs/`, which people read.

The first middleware answers most of them itself, so that the others are for people's pages only (sessions, sign-in, CSRF, security
headers). They cost a third of a receipt's time, and answer a Host that they do not know with a 400 that the provider does not repeat.
What Django says of unknown paths, bad requests and crashes is a page; here it becomes what the caller of the address can read.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_noop

from sms.api.drop_in.dialect import Dialect
from sms.api.drop_in.errors import DropInRefused
from sms.api.drop_in.messaging_v1 import MESSAGING_V1
from sms.api.drop_in.sms_v1 import SMS_V1
from sms.api.drop_in.v2 import V2
from sms.api.v1 import problems
from sms.values.problems import ProblemCode
from sms.values.text import UNSTORABLE
from sms.webex import HOP

TRUSTED_FOR = 1.0  # seconds
FOR_PEOPLE = "/api/docs/"
HTML = "text/html"
KEPT_AS_THEY_CAME = (
    "/receipts",
    "/inbound",
)  # Webex Connect repeats nothing that is refused, so nothing of it is
ODD_PATH = gettext_noop(
    "The address holds a character that cannot be kept (NUL, or half of an emoji). Write it again."
)
CAME_ROUND = (
    "This was posted by a Textdesk. One Textdesk takes nothing from another, or messages could go round in circles: enter the address "
    "of Webex Connect as the base URL."
)
SAYS = {
    400: "The request cannot be read: its host, its path or one of its headers is not valid.",
    403: "This address does not take that request.",
    404: "There is no such address. Compare it with the documentation; it has no slash at its end.",
    405: "This address does not take that method.",
    500: "Something broke on our side. It was logged.",
    503: "Textdesk cannot answer at the moment. Try again soon.",
}
KINDS = {
    400: "unreadable",
    408: "unreadable",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class MachineAddress:
    """Every path under a prefix. `refuse` makes an answer of a status, a sentence, and the parameter that it is about with the code of
    what is wrong with it, if any."""

    prefix: str
    refuse: Callable[..., HttpResponse]
    direct: bool = True  # answered without the middleware for people


def without_words(status: int, *_words: str) -> HttpResponse:
    return HttpResponse(status=status)


def as_problem(
    status: int, words: str, field: str = "", code: ProblemCode = ProblemCode.INVALID
) -> HttpResponse:
    kind = KINDS.get(status, "error")
    problem = problems.invalid(field, words, code=code) if field else problems.ApiProblem(status, kind, words)
    return HttpResponse(
        json.dumps(problems.body_of(problem)), status=status, content_type=problems.MEDIA_TYPE
    )


def without_parameters(request: HttpRequest) -> HttpResponse | None:
    """The refusal of a document for programs that has none; None where none is given."""
    for name in request.GET:
        return as_problem(
            400, f"There is no parameter {name[:40]!r} here.", name[:60], ProblemCode.UNKNOWN_FIELD
        )
    return None


def in_words_of(dialect: Dialect) -> Callable[..., HttpResponse]:
    """413 and a body that breaks off have codes of their own (`portal.bodies`)."""

    def refuse(status: int, words: str, field: str = "", _code: str = "") -> HttpResponse:
        code, title = ("7011", "Unknown exception") if status >= 500 else ("7004", "Invalid parameter")
        name = f"{field}: {words}" if field else words
        return dialect.refusal(DropInRefused(code, title, name, status=status))

    return refuse


ADDRESSES = (
    MachineAddress("/receipts", without_words),
    MachineAddress("/inbound", without_words),
    MachineAddress("/v2", in_words_of(V2)),
    MachineAddress("/v1", in_words_of(SMS_V1)),
    MachineAddress("/resources", in_words_of(MESSAGING_V1)),
    MachineAddress("/api", as_problem, direct=False),
    # asked by this machine and by balancers, under whatever name they know for it
    *(MachineAddress(path, without_words) for path in ("/healthz", "/readyz", "/metrics")),
)


def normal(path: str) -> str:
    """`/v2/messages` for `//v2/messages`, which is what a base URL with a slash at its end makes of it."""
    return "/" + path.lstrip("/")


def _route_of(path: str) -> str:
    """Webhooks are pasted by hand: without the slash at its end a post would be lost, and a base URL may bring one too many."""
    path = normal(path)
    return path if path.endswith("/") or not path.startswith(("/receipts/", "/inbound/")) else f"{path}/"


def address_of(path: str) -> MachineAddress | None:
    path = normal(path)
    if path.startswith(FOR_PEOPLE):
        return None
    for address in ADDRESSES:
        if path.startswith(address.prefix) and path[len(address.prefix) :][:1] in ("", "/"):
            return address
    return None


class MachinesFirst:
    """Routes and views only for what is answered directly, and no HTML for any of ADDRESSES."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._guarded = convert_exception_to_response(self._directly)
        self._worked_until: dict[int, float] = {}  # by thread, which has its own connection

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """With its length, as `CommonMiddleware` would add it: a server sends what has none in chunks. Nothing of it is to be kept."""
        address = address_of(request.path_info)
        if address is None:
            return self.get_response(request)
        answered: Any = self._guarded(request) if address.direct else self.get_response(request)
        response = _without_html(answered, address)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _directly(self, request: HttpRequest) -> HttpResponse:
        """A connection to the database that worked a moment ago is not asked again whether it does. Where it broke since then, the
        answer is 503 and the next request has a new one.
        """
        address: MachineAddress = address_of(request.path_info)  # type: ignore[assignment]
        if HOP in request.headers:
            return address.refuse(400, CAME_ROUND, "")
        if UNSTORABLE.search(request.path_info):
            return address.refuse(400, ODD_PATH, "path")
        try:
            match = request.resolver_match = resolve(_route_of(request.path_info))
        except Resolver404:
            return address.refuse(404, SAYS[404], "")
        ours = threading.get_ident()
        if time.monotonic() < self._worked_until.get(ours, 0.0):
            connection.health_check_done = True  # type: ignore[attr-defined]
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
            if hasattr(response, "render"):
                response.render()
        finally:
            broke = connection.errors_occurred
            self._worked_until[ours] = 0.0 if broke else time.monotonic() + TRUSTED_FOR
        return response


def for_people(response: HttpResponse) -> HttpResponse:
    """A page below these addresses, for a browser that asked for one."""
    response.is_for_people = True  # type: ignore[attr-defined]
    patch_vary_headers(response, ("Accept",))
    return response


def _without_html(response: HttpResponse, address: MachineAddress) -> HttpResponse:
    """Nothing else answers these addresses in HTML but Django itself and pages `for_people`; an empty answer is of no type."""
    if getattr(response, "is_for_people", False) or not response.headers.get("Content-Type", "").startswith(
        HTML
    ):
        return response
    status = response.status_code
    if status >= 400 and response.content:
        refused = address.refuse(status, SAYS.get(status, SAYS[400 if status < 500 else 500]), "")
        for name, value in response.headers.items():
            if name not in ("Content-Type", "Content-Length"):
                refused.headers.setdefault(name, value)
        response = refused
    elif response.content:  # a redirect, which may say in HTML where to
        response.content = b""
        response.headers.pop("Content-Length", None)
    if not response.content:
        response.headers.pop("Content-Type", None)
    return response
