"""What no page of ours and no careful client sends: texts that a database cannot keep, parameters without end, or given twice.

The one cleaner of addresses, query strings, posted fields and cookies. It drops nothing in silence: 400 with a sentence that names the
parameter and the way out, as a page or as the caller's address answers. Receipts and incoming messages are never looked at here: they
are kept as they came. Within a form its own limits count; of what a form posts twice the last counts, as browsers have it.
"""

import codecs
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils.translation import gettext as _

from portal.machines import KEPT_AS_THEY_CAME, ODD_PATH, address_of
from sms.values.problems import ProblemCode
from sms.values.text import UNSTORABLE
from sms.words import number

LONGEST_NAME, LONGEST_VALUE = 100, 2000  # characters of a parameter in an address
LONGEST_FIELD = 200  # characters of the name of a posted field
ADMIN = "/admin/"  # whose lists take a filter more than once, and compare keys as they are written
LONGEST_KEY = 18  # digits
_SHOWN = 40


class OddParameter(BadRequest):
    """`field` is the parameter. str() is a sentence for a person."""

    def __init__(self, field: str, says: str, code: ProblemCode = ProblemCode.INVALID) -> None:
        super().__init__(says)
        self.field, self.code = field, code


class OddRequests:
    """Middleware: after the response headers of every page, before anything that asks a database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "TRACE":  # pages of libraries would take it for a GET
            return HttpResponseNotAllowed(("GET", "HEAD", "POST"))
        address = address_of(request.path_info)
        if address is not None and address.prefix in KEPT_AS_THEY_CAME:
            return self.get_response(request)
        try:
            if UNSTORABLE.search(request.path_info):
                raise OddParameter("path", _(ODD_PATH))
            _look_at_query(request)
            if address is None:
                _look_at_cookies(request)
                _look_at_fields(request)
        except OddParameter as odd:
            if address is None:
                raise
            return address.refuse(400, str(odd), odd.field, odd.code)
        return self.get_response(request)


def refuse_too_long(name: str, text: str, *, most: int) -> None:
    """For a text that no form field reads. Raises OddParameter, where cutting it off would look for something else, or keep half."""
    if len(text) > most:
        says = _("“%(name)s” has %(count)s characters; at most %(most)s are taken. Go back and shorten it.")
        says %= {"name": name, "count": number(len(text)), "most": number(most)}
        raise OddParameter(name, says, ProblemCode.TOO_LONG)


def _look_at_query(request: HttpRequest) -> None:
    raw = request.META.get("QUERY_STRING", "")
    if not raw:
        return
    try:
        codecs.lookup(request.encoding or "utf-8")
        given = request.GET
        if "%" in raw or not raw.isascii():
            unquote_to_bytes(raw.encode("latin-1")).decode(request.encoding or "utf-8")
    except (LookupError, UnicodeError):
        says = _(
            "The part of the address behind the question mark is not UTF-8. Write it again, or open the page without it."
        )
        raise OddParameter("query", says) from None
    in_admin = request.path_info.startswith(ADMIN)
    look_at_parameters(given, once=not in_admin)
    for name in given if in_admin else ():
        value = given.get(name, "")
        if len(value) > LONGEST_KEY and value.lstrip("-").isdecimal():
            says = _("“%(name)s” has more digits than any key or number. Correct it.")
            raise OddParameter(_shown(name), says % {"name": _shown(name)})


def look_at_parameters(given: QueryDict, *, once: bool = True) -> None:
    """What stands behind a question mark, in an address or in a field that holds one. Raises OddParameter."""
    for name in given:
        shown = _shown(name)
        if len(name) > LONGEST_NAME:
            says = _(
                "The address has a parameter whose name has %(count)s characters. Open the page without it."
            )
            raise OddParameter(shown, says % {"count": number(len(name))})
        values = given.getlist(name)
        _refuse_unstorable(name, *values)
        refuse_too_long(shown, max(values, key=len), most=LONGEST_VALUE)
        if once and len(values) > 1:
            says = _(
                "The address has “%(name)s” %(count)s times, and one value is expected. Leave the others out."
            )
            says %= {"name": shown, "count": len(values)}
            raise OddParameter(shown, says, ProblemCode.ONLY_ONE)


def _look_at_cookies(request: HttpRequest) -> None:
    if any(map(UNSTORABLE.search, (*request.COOKIES, *request.COOKIES.values()))):
        says = _(
            "A cookie holds a character that cannot be kept. Delete this site's cookies in your browser, and sign in again."
        )
        raise OddParameter("cookie", says)


def _look_at_fields(request: HttpRequest) -> None:
    if request.method != "POST":
        return
    try:
        posted: QueryDict = request.POST
    except (LookupError, UnicodeError):
        says = _("The form did not come as UTF-8. Open the page again, and send it from there.")
        raise OddParameter("form", says) from None
    for name, values in posted.lists():
        if len(name) > LONGEST_FIELD:
            says = _(
                "The form has a field whose name has %(count)s characters. Open the page again, and send it from there."
            )
            raise OddParameter(_shown(name), says % {"count": number(len(name))})
        _refuse_unstorable(name, *values)
    for name in request.FILES:
        _refuse_unstorable(name)


def _refuse_unstorable(name: str, *values: str) -> None:
    if any(map(UNSTORABLE.search, (name, *values))):
        shown = _shown(name)
        says = _(
            "“%(name)s” holds a character that cannot be kept (NUL, or half of an emoji). Go back, leave it out, and send it again."
        )
        raise OddParameter(shown, says % {"name": shown})


def _shown(name: str) -> str:
    return UNSTORABLE.sub("\ufffd", name)[:_SHOWN]
