"""Puts a plan together from the survey of an order: the same for ten rows and for a million."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from sms.compose import checks, options
from sms.compose.approval.rules import needed
from sms.compose.order import Order
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import SHOWN, Survey
from sms.models import Actor, Price
from sms.sends.plan import cost, request
from sms.sends.plan.cautions import cautions
from sms.sends.plan.forecast import forecast
from sms.sends.plan.shapes import (
    Doubt,
    Encodings,
    Plan,
    PlanApproval,
    PlanDoubtful,
    PlanPolicy,
    PlanRejects,
    PlanSegments,
)


def build_plan(
    asked: Order,
    *,
    now: datetime,
    public_url: str,
    row: int | None = None,
    figures: Survey | None = None,
    masked: bool = False,
    wordless: bool = False,
    user: Any = None,
) -> Plan:
    """The plan at `now`. `row` is whose request is shown, the first one if None; `figures` saves a second survey of the same order,
    and `masked` hides the number in the request, `wordless` what it says. `user` is who would ask for approval.

    Raises `ComposeError` exactly where making the send would, and for a row without a message.
    """
    order = resolve(asked)
    if figures is None:
        figures = checks.survey(order, now=now)
    else:
        checks.refuse(order, now=now)
    chosen = request.line_of(order, figures, row)
    countries = cost.by_country(order.service, order.sender, figures.countries)
    priced = cost.total(countries, entered=Price.objects.filter(service=order.service).exists())
    foreseen = forecast(order, figures, now=now)
    encodings = Encodings(figures.gsm7, figures.ucs2, figures.unknown)
    known = not encodings.unknown
    return Plan(
        created_at=now,
        recipient_count=figures.recipients,
        rejected=figures.rejected,
        rejects=tuple(
            PlanRejects(one.code, f"{one.text}.", one.count, tuple(one.rows)) for one in figures.removed
        ),
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
        forecast_detail=foreseen.says,
        doubtful=tuple(
            PlanDoubtful(name, one.text, one.count, one.left_out, tuple(one.rows))
            for name, one in figures.doubtful.items()
        ),
        warnings=_kept_with_a_doubt(figures),
        cautions=tuple(cautions(order, figures, foreseen=foreseen, cost=priced, now=now)),
        approval=_approval(order, figures, user=user, now=now),
        row=chosen.row,
        request=request.body(order, chosen, public_url=public_url, masked=masked, wordless=wordless),
    )


def _kept_with_a_doubt(figures: Survey) -> tuple[Doubt, ...]:
    kept = (one for one in figures.doubtful.values() if not one.left_out)
    rows = sorted((row, one.kind.warning) for one in kept for row in one.rows)
    return tuple(Doubt(row, says) for row, says in rows[:SHOWN])


def _approval(order: ResolvedOrder, figures: Survey, *, user: Any, now: datetime) -> PlanApproval:
    wanted = needed(
        order,
        recipients=figures.recipients,
        countries=lambda: figures.countries,
        by=None if user is None else Actor.person(user),
        now=now,
    )
    return PlanApproval(wanted.approvers, wanted.reasons, wanted.eligible, wanted.short)


def _policy(order: ResolvedOrder) -> PlanPolicy | None:
    asked, group = order.options, order.options.policy_group
    if group is None:
        return None
    return PlanPolicy(
        policy_group=group.name,
        check_consent=bool(asked.checks_consent),
        apply_frequency_cap=bool(asked.applies_frequency_cap),
        detail=_("Webex Connect checks %(checks)s at each message; how many it refuses cannot be known here.")
        % {"checks": options.checks_in_words(asked)},
    )
