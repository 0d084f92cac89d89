"""How large a body may be at each address, from whom, and in which words it is refused. Called by `portal.bodies` and `portal.web`.

The provider's posts are small. Elsewhere a stranger may send a small body, which stays in memory; only somebody who is signed in, and
a program with a key that opens the address, may send a large one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from portal.callers import key_of, person_of
from portal.languages import of_reader
from portal.machines import address_of, as_problem
from portal.middleware import SecurityHeaders
from portal.request_ids import keep_refused
from sms.api import request_ids
from sms.api.drop_in.dialect import Dialect
from sms.api.drop_in.errors import DropInRefused
from sms.api.drop_in.messaging_v1 import MESSAGING_V1
from sms.api.drop_in.sms_v1 import SMS_V1
from sms.api.drop_in.v2 import V2
from sms.webex.values import without_bom
from sms.words import KeptSentence, in_language, retold

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE")
OF_OPERATORS = ("/healthz", "/readyz", "/metrics")
OF_STRANGERS = 64 * 1024  # bytes: any form that one fills in before signing in
OF_POSTS = 64 * 1024  # nothing genuine is a tenth as long
DROP_IN_MOST = 5_000_000  # bytes: a thousand destinations with long substitutions
IN_MEMORY = 1_000_000  # bytes; a longer one is in a temporary file
TAIL = 1024  # bytes in which a form's last boundary stands
RETRY = "30"  # seconds
TITLES = {
    408: gettext_lazy("It came too slowly"),
    413: gettext_lazy("Too large"),
    429: gettext_lazy("Too many files at once"),
    503: gettext_lazy("Too much is going on"),
}
AWAY = gettext_noop(
    "The database does not answer at the moment. Nothing of what you sent was stored. Try again in half a minute."
)
# what a page says instead of “The body …”, which programs are told in English
OF_PAGES = (
    KeptSentence(
        gettext_noop(
            "What you sent has more than %(bytes)s bytes, the most this address takes from a caller that is not signed in. "
            "Sign in, and send it again."
        )
    ),
    KeptSentence(
        gettext_noop(
            "What you sent has more than %(bytes)s bytes, the most this address takes. Nothing of it was kept. Go back, where what "
            "you typed still is, and choose a smaller file, or split it."
        )
    ),
    KeptSentence(
        gettext_noop("What you sent broke off before its end. Nothing of it was kept; send it again.")
    ),
    KeptSentence(
        gettext_noop(
            "What you sent came too slowly, or stopped on its way. Nothing of it was kept; send it again."
        )
    ),
)
OCCUPIED = gettext_noop(
    "The database is busy with something else. Nothing of what you sent was stored. Try again in half a minute."
)


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """An address's limit in bytes, and how it refuses: 413, 415, 408 where it came too slowly, or 400 where it broke off."""

    name: str  # of the address, in the log
    most: int
    refuse: Callable[[Environ, int, str], HttpResponse]
    caller: Callable[[Environ], str] | None = (
        None  # who sends it; where nobody is known, it may be as large from all
    )
    unknown: str = ""  # in a sentence about a caller who is not known
    known: str = ""  # and what one who is may do about it
    only_plain: bool = False  # no Content-Encoding
    must_close: bool = False  # it stores what came, so what begins as JSON must end as JSON

    @property
    def of_strangers(self) -> int:
        return self.most if self.caller is None else min(self.most, OF_STRANGERS)


class BodyRefused(Exception):
    """With the status of the answer, and a sentence for the caller."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


def refusal(environ: Environ, limit: BodyLimit, refused: BodyRefused) -> HttpResponse:
    """The answer to a request that Django does not see, logged and kept as the middleware does it for others."""
    with request_ids.about(environ) as request_id:
        log.warning("body_refused", address=limit.name, status=refused.status)
        answer = limit.refuse(environ, refused.status, refused.words)
        answer.headers[request_ids.HEADER] = request_id
        keep_refused(WSGIRequest(environ), answer)
    return answer


def too_large(limit: BodyLimit, most: int) -> BodyRefused:
    """`most` of the address, or of a caller who is not known."""
    whose = f"{limit.unknown}." if most < limit.most else f".{limit.known}"
    return BodyRefused(413, f"The body has more than {most:,} bytes, the most this address takes{whose}")


def broke_off() -> BodyRefused:
    return BodyRefused(400, "The body broke off before its end. Nothing of it was kept; send it again.")


def refuse_encoded(environ: Environ, limit: BodyLimit) -> None:
    """To unpack a body is to take what may be a thousand times as long, and clients of SMS send none that is packed."""
    if limit.only_plain and environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise BodyRefused(415, "The body has a Content-Encoding, and none is taken here. Send it as it is.")


def limit_of(environ: Environ) -> BodyLimit:
    address = address_of(environ.get("PATH_INFO", ""))
    return limits()[address.prefix if address else ""]


def is_http2(environ: Environ) -> bool:
    return environ.get("SERVER_PROTOCOL") == "HTTP/2"


def lacks_its_end(environ: Environ, size: int, limit: BodyLimit) -> bool:
    """Of a body without a length, which is in the place of the stream: whether its content shows that it broke off."""
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
    """Webex Connect repeats what got 503, and nothing that got 400 or 408."""
    refused = (
        HttpResponse(status=413)
        if status == 413
        else HttpResponse(status=503, headers={"Retry-After": RETRY})
    )
    del refused.headers["Content-Type"]
    return refused


def _refuse_drop_in(dialect: Dialect) -> Callable[[Environ, int, str], HttpResponse]:
    """400 for what is wrong with the body, as the provider does it; its own code and status where it is to come again."""
    again = {
        408: ("7000", "Invalid JSON"),
        429: ("7020", "Throttling limit exceeded"),
        503: ("7011", "Unknown exception"),
    }

    def refuse(_environ: Environ, status: int, words: str) -> HttpResponse:
        if status in again:
            answer = dialect.refusal(DropInRefused(*again[status], words, status=status))
            if status != 408:
                answer.headers["Retry-After"] = RETRY
            return answer
        code, title = ("7022", "JSON size exceeded") if status == 413 else ("7000", "Invalid JSON")
        return dialect.refusal(DropInRefused(code, title, words))

    return refuse


def _refuse_api(_environ: Environ, status: int, words: str) -> HttpResponse:
    answer = as_problem(status, words)
    if status in (429, 503):
        answer.headers["Retry-After"] = RETRY
    return answer


def _refuse_page(environ: Environ, status: int, words: str) -> HttpResponse:
    """Before it is known whose request it is, so in the language of the browser."""
    request = WSGIRequest(environ)
    with in_language(of_reader(request)):
        of_database = {
            AWAY: gettext("The database does not answer"),
            OCCUPIED: gettext("The database is busy"),
        }
        title = of_database.get(words) or TITLES.get(status) or gettext("It did not arrive whole")
        says = retold(words.replace("The body", "What you sent", 1))
        context = {"status": status, "title": title, "words": says}
        shown = render(request, "body_refused.html", context, status=status)
    if status in (429, 503):
        shown.headers["Retry-After"] = RETRY
    return SecurityHeaders(lambda _: shown)(request)


@cache
def limits() -> dict[str, BodyLimit]:
    """By the prefix of `portal.machines.ADDRESSES`, and of people's pages by none."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    dialects = {"/v2": V2, "/v1": SMS_V1, "/resources": MESSAGING_V1}
    keyless = " from a caller without a key that opens it"
    partner: dict[str, Any] = {"caller": key_of, "unknown": keyless, "only_plain": True}
    signed_out = " from a caller that is not signed in. Sign in, and send it again"
    smaller = " Nothing of it was kept. Go back, where what you typed still is, and choose a smaller file, or split it."
    return {
        **{
            prefix: BodyLimit(prefix, OF_POSTS, _refuse_post, must_close=True)
            for prefix in ("/receipts", "/inbound")
        },
        **{
            prefix: BodyLimit(prefix, min(DROP_IN_MOST, most), _refuse_drop_in(dialect), **partner)
            for prefix, dialect in dialects.items()
        },
        "/api": BodyLimit("/api", most, _refuse_api, **partner),
        **{path: BodyLimit(path, 1024, _refuse_post) for path in OF_OPERATORS},
        "": BodyLimit("/", most, _refuse_page, caller=person_of, unknown=signed_out, known=smaller),
    }
