"""Advice about a send before it goes out."""

from collections.abc import Iterator

from sms.compose.links import domain_cautions
from sms.compose.options import RECEIPTS
from sms.compose.order import Order, text_of
from sms.compose.reach import reach_cautions
from sms.compose.survey import ADVISED, Survey
from sms.models import SenderKind
from sms.sends.plan.forecast import SendForecast
from sms.sends.plan.shapes import Caution, Cost
from sms.values import text_hints

_NAMES = {"US": "the United States", "CA": "Canada"}


def cautions(
    order: Order,
    figures: Survey,
    *,
    foreseen: SendForecast,
    cost: Cost,
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
    for sentence in (*domain_cautions(order.link_domain), *reach):
        yield Caution("destination", sentence)
    if foreseen.too_late:
        yield Caution(
            "too_late",
            f"{_messages(foreseen.too_late)} would expire before being sent. Choose a later expiry or an earlier time.",
        )
    written = text_of(order)
    if written:
        for found in text_hints.lint(written):
            yield Caution(found.code, found.text)
    else:
        yield Caution(
            "template", "The provider's template makes the text, so nothing can be said of it here."
        )
    if order.link_domain is not None:
        yield Caution("short_domain", _short_domain(order))
    for one in order.options.missing_receipts if order.partner is None else ():
        yield Caution("receipts", f"The receipt {one.capitalize()} is not asked for: {RECEIPTS[one]}.")
    if figures.long:
        yield Caution(
            "long",
            f"{_messages(figures.long)} with more than {ADVISED} characters, which Webex Connect advises against. Shorten the text.",
        )
    if order.service.quiet_hours and not order.respect_quiet_hours:
        yield Caution("quiet_hours", f"The quiet hours {order.service.quiet_hours} are not respected.")
    if cost.entered and cost.unpriced:
        yield Caution("price", f"{cost.says} The cost leaves them out.")


def _short_domain(order: Order) -> str:
    domain = order.link_domain
    if domain is not None and domain.is_shared:
        return (
            f"{domain} is shared with other senders, and some operators filter such short links without notice. "
            "A domain of your own is filtered less."
        )
    return f"Some operators filter short links without notice, also those on {domain}."


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
