"""Puts a plan together from what `compose.check` says of an order."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median_high

from sms import compose, text, wishes
from sms.models import Price
from sms.plan import cost, exact
from sms.plan.cautions import cautions
from sms.plan.forecast import forecast
from sms.plan.tree import Doubt, Encodings, Plan, Policy, Removed, Segments

SHOWN = 100  # rows named per list


def made(
    order: compose.Order,
    *,
    now: datetime,
    public_url: str,
    row: int | None = None,
    checked: compose.Checked | None = None,
    masked: bool = False,
) -> Plan:
    """The plan at `now`. `row` is whose request is shown, the first one if None; `checked` saves a second check of the same order,
    and `masked` hides the number in the request, for whoever may not see it.

    Raises `compose.ComposeError` exactly where making the send would, and for a row without a message.
    """
    order = compose.settled(order)
    checked = checked or compose.check(order, now=now)
    lines = checked.lines
    chosen = exact.line_of(lines, row)
    countries = cost.by_country(order, lines)
    priced = cost.total(countries, entered=Price.objects.filter(service=order.service).exists())
    foreseen = forecast(order, lines, now=now)
    encodings = _encodings(lines)
    known = not encodings.unknown
    return Plan(
        made_at=now,
        recipients=len(lines),
        rejected=len(checked.rejects),
        removed=_removed(checked),
        encoding="ucs2" if encodings.ucs2 else "gsm7" if known else "unknown",
        encodings=encodings,
        segments=Segments(
            worst=checked.segments_worst if known else None,
            typical=median_high(line.segments for line in lines) if known else None,
            total=checked.segments_total if known else None,
        ),
        segments_range=cost.in_all(countries),
        countries=countries,
        cost=priced,
        policy=_policy(order),
        deferred=foreseen.deferred,
        ahead=foreseen.ahead,
        rate=order.service.rate,
        start_at=foreseen.start_at,
        finish_at=foreseen.finish_at,
        finish_latest_at=foreseen.finish_latest_at,
        too_late=foreseen.too_late,
        forecast=foreseen.says,
        warnings=tuple(_doubts(lines)),
        cautions=tuple(
            cautions(
                order,
                checked,
                countries=[one.country for one in countries],
                foreseen=foreseen,
                cost=priced,
            )
        ),
        row=chosen.row,
        request=exact.body(order, chosen, public_url=public_url, masked=masked),
    )


def _encodings(lines: Sequence[compose.Line]) -> Encodings:
    unknown = sum(1 for line in lines if not line.text)
    kinds = Counter[str]()
    for written, count in Counter(line.text for line in lines if line.text).items():
        kinds[text.segments(written).encoding] += count
    return Encodings(kinds["gsm7"], kinds["ucs2"], unknown)


def _removed(checked: compose.Checked) -> tuple[Removed, ...]:
    counts = Counter(bad.code for bad in checked.rejects)
    rows: dict[str, list[int]] = {}
    reasons: dict[str, str] = {}
    for bad in checked.rejects:
        reasons.setdefault(bad.code, bad.reason)
        if len(rows.setdefault(bad.code, [])) < SHOWN:
            rows[bad.code].append(bad.row)
    return tuple(
        Removed(code, reasons[code], count, tuple(rows[code])) for code, count in counts.most_common()
    )


def _doubts(lines: Sequence[compose.Line]) -> list[Doubt]:
    found: list[Doubt] = []
    for line in lines:
        if line.warning and len(found) < SHOWN:
            found.append(Doubt(line.row, line.warning))
    return found


def _policy(order: compose.Order) -> Policy | None:
    group = order.policy_group
    if group is None:
        return None
    consent, cap = wishes.consent_and_cap(order.wishes, group)
    checks = [
        words
        for words, wanted in (
            ("consent", consent),
            ("the frequency cap", cap),
        )
        if wanted
    ]
    return Policy(
        group=group.name,
        check_consent=consent,
        apply_frequency_cap=cap,
        says=f"Webex Connect checks {' and '.join(checks)} at each message; how many it refuses cannot be known here.",
    )
