"""What a send would do, from what `sms.compose.check` knows. Nothing is stored. `sms.plan` takes this module's place when it is there."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_high
from typing import Any

from sms import compose, control
from sms.dispatch.claim import Waiting
from sms.dispatch.request import body_of, sheet_of
from sms.models import Message, Send
from sms.webex.rules import WireError

SHOWN = 100  # rows named per list


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows left out for one reason; `rows` are the first of them."""

    code: str
    reason: str
    count: int
    rows: list[int]


@dataclass(frozen=True, slots=True)
class Plan:
    """The figures of a send that was not made. A forecast is None where it is not known, and `forecast` says why."""

    recipients: int
    rejected: int
    removed: list[Removed]
    encoding: str
    segments: dict[str, int]
    warnings: list[dict[str, Any]]
    start_at: datetime | None
    finish_at: datetime | None
    forecast: str
    request: dict[str, Any]


def plan(order: compose.Order, *, now: datetime, public_url: str) -> Plan:
    """Raises `compose.ComposeError` exactly where making the send would."""
    checked = compose.check(order, now=now)
    start, finish, words = _forecast(order, len(checked.lines), now)
    return Plan(
        recipients=len(checked.lines),
        rejected=len(checked.rejects),
        removed=_removed(checked),
        encoding=checked.encoding,
        segments={
            "worst": checked.segments_worst,
            "typical": median_high(line.segments for line in checked.lines),
            "total": checked.segments_total,
        },
        warnings=[{"row": one.row, "detail": one.warning} for one in checked.lines if one.warning][:SHOWN],
        start_at=start,
        finish_at=finish,
        forecast=words,
        request=_request(order, checked.lines[0], public_url),
    )


def _removed(checked: compose.Checked) -> list[Removed]:
    counts = Counter(reject.code for reject in checked.rejects)
    rows: dict[str, list[int]] = {}
    reasons: dict[str, str] = {}
    for reject in checked.rejects:
        reasons.setdefault(reject.code, reject.reason)
        if len(rows.setdefault(reject.code, [])) < SHOWN:
            rows[reject.code].append(reject.row)
    return [Removed(code, reasons[code], count, rows[code]) for code, count in counts.most_common()]


def _forecast(
    order: compose.Order, messages: int, now: datetime
) -> tuple[datetime | None, datetime | None, str]:
    """At the contracted rate behind what waits now; later sends, faults and quiet hours are not foreseen."""
    service = order.service
    start = max(order.due_at or now, now)
    if service.paused_at is not None:
        return None, None, "The service is paused; nothing starts until somebody resumes it."
    if not service.rate:
        return start, None, "The service has no contracted rate, so the end cannot be foreseen."
    ahead = control.at_stake(service).messages if start <= now else 0
    finish = start + timedelta(seconds=(ahead + messages) / service.rate)
    if service.quiet_hours and order.respect_quiet_hours:
        return start, finish, "Quiet hours may put some of it off until they end."
    return start, finish, "At the contracted rate, behind what waits now."


def _request(order: compose.Order, line: compose.Line, public_url: str) -> dict[str, Any]:
    """What the provider would get for the first row. Our receipt address is a capability, and no correlation id exists yet."""
    send = Send(
        service=order.service,
        sender=order.sender,
        text=order.template.text if order.template else order.content,
        template=order.template,
        policy_group=order.policy_group,
        link_domain=order.link_domain,
        expires_at=order.expires_at,
        callback_data=order.callback_data,
    )
    first = Message(send=send, msisdn=line.msisdn, text=line.text, substitutions=line.substitutions)
    waiting = Waiting(0, first.msisdn, first.text, first.substitutions, 0, line.zone)
    try:
        body: dict[str, Any] = json.loads(body_of([waiting], sheet_of(send, public_url=public_url)))
    except WireError as problem:
        return {"impossible": str(problem)}
    body["notifyUrl"] = f"{public_url}/receipts/…/"
    for destination in body["to"]:
        destination["correlationId"] = "(made when it is sent)"
    return body
