"""Answers of the provider as lines of a file, with no more of a message than its id and its attempt."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
import structlog

from sms.dispatch.claim import ClaimedMessage, ClaimedSlice
from sms.dispatch.post import ArmedRequest, Held, Late, PostOutcome
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.replies import Accepted

log = structlog.get_logger(__name__)

ERRORS: dict[str, type[ProviderError]] = {
    kind.__name__: kind for kind in (NotSent, RequestRefused, Throttled, ServicePaused, Unconfirmed)
}


class StoredAnswer(msgspec.Struct, frozen=True):
    """`kind` is the class of the answer, which is the decision; `messages` are ids with the attempts before this one."""

    service: int
    send: int
    slice: int
    messages: list[tuple[int, int]]
    kind: str
    provider_id: str = ""
    code: str = ""
    status: int = 0
    detail: str = ""


def packed(outcomes: Iterable[PostOutcome]) -> bytes:
    return b"".join(msgspec.json.encode(_stored(one)) + b"\n" for one in outcomes if one.request.lease)


def _stored(outcome: PostOutcome) -> StoredAnswer:
    request, result = outcome.request, outcome.result
    lease = cast("ClaimedSlice", request.lease)
    places = (
        request.service_id,
        lease.send_id,
        lease.slice_id,
        [(one.pk, one.attempt) for one in request.messages],
    )
    if isinstance(result, Accepted):
        return StoredAnswer(*places, "Accepted", provider_id=result.provider_id)
    if isinstance(result, Held | Late):
        return StoredAnswer(*places, "Held")
    return StoredAnswer(
        *places,
        type(result).__name__,
        code=result.code,
        status=result.status,
        detail=result.detail,
    )


def read(content: bytes) -> list[PostOutcome]:
    """What was kept; a line that a full disk or a power cut tore is left out, and its messages stay unconfirmed."""
    found: list[PostOutcome] = []
    for line in content.splitlines():
        try:
            found.append(_outcome(msgspec.json.decode(line, type=StoredAnswer)))
        except (msgspec.DecodeError, KeyError):
            log.error("stored_answer_unreadable", bytes=len(line))
    return found


def _outcome(one: StoredAnswer) -> PostOutcome:
    lease = ClaimedSlice(one.slice, one.send, one.service, 0, 0, 0)
    messages = tuple(ClaimedMessage(pk, "", "", {}, attempt, "") for pk, attempt in one.messages)
    goes_nowhere = cast("Any", None)  # it was posted; only what became of it counts
    request = ArmedRequest(one.service, lease, messages, b"", goes_nowhere, goes_nowhere)
    if one.kind == "Accepted":
        return PostOutcome(request, Accepted(one.provider_id))
    if one.kind == "Held":
        return PostOutcome(request, Held())
    return PostOutcome(request, ERRORS[one.kind](one.code, one.status, one.detail))
