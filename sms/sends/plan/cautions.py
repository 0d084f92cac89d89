"""Advice about a send before it goes out."""

from collections.abc import Iterator
from datetime import datetime

from sms.compose import spending
from sms.compose.links import domain_cautions, filtering
from sms.compose.options import missing_receipts
from sms.compose.reach import reach_cautions
from sms.compose.resolved_order import ResolvedOrder
from sms.compose.survey import ADVISED, Survey
from sms.models import SenderKind
from sms.models.receipt_choice import WITHOUT
from sms.sends.plan.forecast import SendForecast
from sms.sends.plan.shapes import Caution, Cost
from sms.values import time_zones

_NAMES = {"US": "the United States", "CA": "Canada"}


def cautions(
    order: ResolvedOrder,
    figures: Survey,
    *,
    foreseen: SendForecast,
    cost: Cost,
    now: datetime,
) -> Iterator[Caution]:
    """In the order of how much they matter."""
    for reason, count in sorted(figures.refused.items(), key=lambda item: (-item[1], item[0])):
        yield Caution("sender_refused", f"{_messages(count)} left out. {reason}")
    sender = order.sender
    reached = [name for code, name in _NAMES.items() if code in figures.countries]
    if sender is not None and sender.kind == SenderKind.ALPHANUMERIC and reached:
        yield Caution(
            "alphanumeric_sender",
            f"{sender} is alphanumeric, and networks in {' and '.join(reached)} refuse such senders.",
        )
    reach = reach_cautions(sender, figures.recipients_by_country())
    for sentence in (*domain_cautions(order.options.link_domain), *reach):
        yield Caution("destination", sentence)
    if unknown := time_zones.unknown(zone for group in figures.groups for zone in group):
        yield Caution("time_zone", time_zones.waits_because(unknown[0]))
    if foreseen.too_late:
        yield Caution(
            "too_late",
            f"{_messages(foreseen.too_late)} would expire before being sent. Choose a later expiry or an earlier time.",
        )
    if order.text:
        for found in order.cautions:
            yield Caution(found.code, found.text)
    else:
        yield Caution(
            "template", "The provider's template makes the text, so nothing can be said of it here."
        )
        if not order.placeholders and not order.values_as_given and (unused := _columns(order)):
            says = f"The catalogue lists no placeholders of {order.template}, so nothing of {unused} is sent to it."
            yield Caution("columns", f"{says} If it has some, have an admin list them.")
    if order.options.shortens and order.options.link_domain is not None:
        yield Caution("short_domain", filtering(order.options.link_domain))
    if order.options.validity is not None and not order.service.validity_kept:
        yield Caution(
            "validity",
            "It is not proved that operators drop a message once its validity is over, so it may still arrive later.",
        )
    for one in missing_receipts(order.options) if order.partner is None else ():
        yield Caution("receipts", f"The receipt {one} is not asked for: {WITHOUT[one]}.")
    for says in spending.near(order, spending.of_figures(order, figures), now=now):
        yield Caution("spend_cap", says)
    if figures.long:
        yield Caution(
            "long",
            f"{_messages(figures.long)} with more than {ADVISED} characters, which Webex Connect advises against. Shorten the text.",
        )
    if order.service.quiet_hours and not order.options.respect_quiet_hours:
        yield Caution("quiet_hours", f"The quiet hours {order.service.quiet_hours} are not respected.")
    if cost.entered and cost.unpriced:
        yield Caution("price", f"{cost.detail} The cost leaves them out.")


def _columns(order: ResolvedOrder) -> str:
    """The columns beside the numbers, in words; empty for none."""
    used = {
        order.audience.column,
        order.correlation_heading,
        order.reference_heading,
        order.zone_heading,
    }
    names = [f"“{one[:40]}”" for one in order.audience.headings if one and one not in used]
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return (
        f"{'the columns' if len(names) > 1 else 'the column'} {', '.join(names[:5])}{more}" if names else ""
    )


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
