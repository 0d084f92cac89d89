"""Puts a plan together from the survey of an order: the same for ten rows and for a million."""

from datetime import datetime
from typing import Any

from sms.compose import checks, options
from sms.compose.approval.rules import needed
from sms.compose.order import Order, resolved
from sms.compose.survey import Survey
from sms.models import Price
from sms.sends.plan import cost, request
from sms.sends.plan.cautions import cautions
from sms.sends.plan.forecast import forecast
from sms.sends.plan.shapes import (
    Asking,
    Doubt,
    Encodings,
    Plan,
    PlanApproval,
    PlanPolicy,
    PlanRemoved,
    PlanSegments,
)


def build_plan(
    order: Order,
    *,
    now: datetime,
    public_url: str,
    row: int | None = None,
    figures: Survey | None = None,
    masked: bool = False,
    user: Any = None,
) -> Plan:
    """The plan at `now`. `row` is whose request is shown, the first one if None; `figures` saves a second survey of the same order,
    and `masked` hides the number in the request. `user` is who would ask for approval.

    Raises `ComposeError` exactly where making the send would, and for a row without a message.
    """
    order = resolved(order)
    if figures is None:
        figures = checks.survey(order, now=now)
    else:
        checks.refuse(order, now=now)
    chosen = request.line_of(order, figures, row)
    countries = cost.by_country(order, figures)
    priced = cost.total(countries, entered=Price.objects.filter(service=order.service).exists())
    foreseen = forecast(order, figures, now=now)
    encodings = Encodings(figures.gsm7, figures.ucs2, figures.unknown)
    known = not encodings.unknown
    return Plan(
        made_at=now,
        recipients=figures.recipients,
        rejected=figures.rejected,
        removed=_removed(figures),
        encoding="ucs2" if encodings.ucs2 else "gsm7" if known else "unknown",
        encodings=encodings,
        segments=PlanSegments(
            worst=figures.worst if known else None,
            typical=figures.typical if known else None,
            total=figures.total if known else None,
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
        warnings=tuple(Doubt(number, says) for number, says in figures.doubts),
        cautions=tuple(cautions(order, figures, foreseen=foreseen, cost=priced)),
        approval=_approval(order, figures, user=user, now=now),
        row=chosen.row,
        request=request.body(order, chosen, public_url=public_url, masked=masked),
    )


def _approval(order: Order, figures: Survey, *, user: Any, now: datetime) -> PlanApproval:
    wanted = needed(
        order,
        recipients=figures.recipients,
        countries=lambda: figures.countries,
        user=user,
        now=now,
    )
    rules = tuple(Asking(one.rule, one.approvers, one.says) for one in wanted.reasons)
    return PlanApproval(wanted.approvers, rules, wanted.eligible, wanted.short)


def _removed(figures: Survey) -> tuple[PlanRemoved, ...]:
    """The reason with the most rows first."""
    ordered = sorted(figures.removed.items(), key=lambda item: (-item[1].count, item[1].rows))
    return tuple(PlanRemoved(code, one.reason, one.count, tuple(one.rows)) for code, one in ordered)


def _policy(order: Order) -> PlanPolicy | None:
    group = order.policy_group
    if group is None:
        return None
    consent, cap = options.policy_checks(order.options, group)
    asked = [
        words
        for words, wanted in (
            ("consent", consent),
            ("the frequency cap", cap),
        )
        if wanted
    ]
    return PlanPolicy(
        group=group.name,
        check_consent=consent,
        apply_frequency_cap=cap,
        says=f"Webex Connect checks {' and '.join(asked)} at each message; how many it refuses cannot be known here.",
    )
