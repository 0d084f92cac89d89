"""The provider's reply to one POST, read into `Accepted` or raised as the decision it means (`errors`). Called by `client`.

Tolerant in: any 2xx, an object, a list of objects or an object with a list (the answer to several recipients is not documented,
reference §4.2); codes as text or number; wrong content types. Strict in what counts as accepted: a message id, and no status but
queued. Anything that might have been accepted and cannot be read is Unconfirmed, never retried (reliability §1.5).
"""

import datetime as dt
import email.utils
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from sms.webex import codes
from sms.webex.errors import RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.values import moment, text, without_bom
from sms.words import KeptSentence, gettext_noop

LONGEST_WAIT = 900.0  # seconds; a longer Retry-After is not believed
_DETAIL = 200
NAMES_SOME = KeptSentence(gettext_noop("The reply names %(names)s of %(destinations)s destinations."))


class Accepted(msgspec.Struct, frozen=True):
    """The provider has queued the request. With several recipients `provider_ids` may hold several ids; the first leads."""

    provider_id: str
    correlation_id: str = ""
    requested_at: dt.datetime | None = None
    provider_ids: tuple[str, ...] = ()


def parse_reply(status: int, headers: Mapping[str, str], body: bytes, *, destinations: int = 1) -> Accepted:
    """Read the whole reply to so many destinations. Raises a `ProviderError` for everything but an acceptance, and nothing else for
    any bytes."""
    said = _json(body)
    if 200 <= status < 300:
        return _accepted(status, said, destinations)
    code, detail = _complaint(said)
    if status == 408 or not 300 <= status < 500:
        # 5xx, and 408: a gateway may have passed the request on. Numbers that are no HTTP status, too.
        raise Unconfirmed(code or f"http_{status}", status, detail)
    if status < 400:
        raise RequestRefused(
            "redirect", status, gettext_noop("The reply is a redirect, which we never follow.")
        )
    if status == 429 or code in codes.THROTTLING:
        raise Throttled(code or f"http_{status}", status, detail, retry_after=retry_after(headers))
    if status in (401, 403, 404, 405) or code in codes.PAUSING:
        # 404 and 405 are about the address we call, never about one message: failing a whole send for it would be wrong.
        raise ServicePaused(code or f"http_{status}", status, detail)
    raise RequestRefused(code or f"http_{status}", status, detail)


def retry_after(
    headers: Mapping[str, str], *, most: float = LONGEST_WAIT, now: dt.datetime | None = None
) -> float | None:
    """Seconds to wait by `Retry-After` (seconds or HTTP date), held to 0..`most`. None where absent or unreadable."""
    wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if not wait or len(wait) > 64:
        return None
    try:
        seconds = float(wait)
    except ValueError:
        seconds = _seconds_until(wait, now or dt.datetime.now(dt.UTC))
    if seconds != seconds:  # NaN, from either way
        return None
    return min(max(seconds, 0.0), most)


def _seconds_until(date: str, now: dt.datetime) -> float:
    try:
        when = email.utils.parsedate_to_datetime(date)
        when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
        return (when - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return float("nan")


def _json(body: bytes) -> Any:
    """The body as JSON values, None where it is none. Deep nesting and broken text count as none."""
    try:
        return msgspec.json.decode(without_bom(body))
    except (ValueError, RecursionError):  # msgspec's errors and broken UTF-8 are both ValueErrors
        return None


def _accepted(status: int, said: Any, destinations: int) -> Accepted:
    entries = [entry for entry in _entries(said) if _field(entry, "messageId") or _field(entry, "status")]
    if not entries:
        code, detail = _complaint(said)
        raise Unconfirmed(
            code or "unreadable", status, detail or gettext_noop("The reply names no message id.")
        )
    verdicts = {_field(entry, "status").lower() for entry in entries}
    ids = tuple(filter(None, (_field(entry, "messageId") for entry in entries)))
    if verdicts - {"queued", ""}:
        _not_queued(status, verdicts, entries[0])
    if entries[0] is not said and destinations > 1 and len(entries) != destinations:
        # A list that leaves some out does not say that they were taken (reference §4.2: a part may be accepted).
        raise Unconfirmed("partial", status, NAMES_SOME(names=len(entries), destinations=destinations))
    if len(ids) != len(entries):
        raise Unconfirmed(
            "unreadable", status, gettext_noop("The reply names no message id for a part of the request.")
        )
    first = entries[0]
    return Accepted(
        provider_id=ids[0],
        correlation_id=_field(first, "correlationId"),
        requested_at=moment(first.get("requestTimestamp")),
        provider_ids=ids,
    )


def _not_queued(status: int, verdicts: set[str], first: dict[str, Any]) -> NoReturn:
    """A 2xx whose status is not queued. Rejected throughout is a refusal; a mixture or a new word is not to be guessed."""
    if verdicts == {"rejected"}:
        code, detail = _complaint(first)
        raise RequestRefused(
            code or "rejected", status, detail or gettext_noop("The reply's status is rejected.")
        )
    if "queued" in verdicts:
        raise Unconfirmed("partial", status, gettext_noop("The reply accepts only a part of the request."))
    raise Unconfirmed("odd_status", status, gettext_noop("The reply's status is not queued."))


def _entries(said: Any) -> Iterator[dict[str, Any]]:
    """The objects that may carry a message id: the reply itself, its elements, or the elements of a list inside it."""
    if isinstance(said, list):
        yield from (entry for entry in said if isinstance(entry, dict))
    elif isinstance(said, dict):
        if _field(said, "messageId") or not any(isinstance(value, list) for value in said.values()):
            yield said
        else:
            for value in said.values():
                if isinstance(value, list):
                    yield from (entry for entry in value if isinstance(entry, dict))


def _complaint(said: Any) -> tuple[str, str]:
    """The provider's code ("" where none) and its words, made safe to show."""
    entry = next(_entries(said), None) or (said if isinstance(said, dict) else {})
    code = _field(entry, "code")
    words = _field(entry, "message") or _field(entry, "description")
    clean = "".join(char if char.isprintable() else " " for char in words[:_DETAIL])
    return (code if code.isalnum() and code.isascii() and len(code) <= 10 else ""), clean.strip()


def _field(entry: dict[str, Any], name: str) -> str:
    return text(entry.get(name)).strip()
