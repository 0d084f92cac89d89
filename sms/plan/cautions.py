"""What a careful colleague would say about a send before it goes."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sms import compose, lint
from sms.models import SenderKind
from sms.plan.forecast import Forecast
from sms.plan.tree import Caution, Cost
from sms.wishes import RECEIPTS

ADVISED = 450  # characters that the provider advises to stay below
_NAMES = {"US": "the United States", "CA": "Canada"}


def cautions(
    order: compose.Order,
    checked: compose.Checked,
    *,
    countries: Sequence[str],
    foreseen: Forecast,
    cost: Cost,
) -> Iterator[Caution]:
    """In the order of how much they matter."""
    refused = Counter(bad.reason for bad in checked.rejects if bad.code == "sender_refused")
    for reason, count in refused.most_common():
        yield Caution("sender_refused", f"{_messages(count)} left out. {reason}")
    sender = order.sender
    reached = [name for code, name in _NAMES.items() if code in countries]
    if sender is not None and sender.kind == SenderKind.ALPHANUMERIC and reached:
        yield Caution(
            "alphanumeric_sender",
            f"{sender} is alphanumeric, and networks in {' and '.join(reached)} refuse such senders.",
        )
    for sentence in checked.cautions:
        yield Caution("destination", sentence)
    if foreseen.too_late:
        yield Caution(
            "too_late",
            f"{_messages(foreseen.too_late)} would expire before being sent. Choose a later expiry or an earlier time.",
        )
    written = compose.written_of(order)
    if written:
        for found in lint.lint(written):
            yield Caution(found.code, found.text)
    else:
        yield Caution(
            "template", "The provider's template makes the text, so nothing can be said of it here."
        )
    if order.link_domain is not None:
        yield Caution("short_domain", _short_domain(order))
    for one in order.wishes.missing_receipts if order.partner is None else ():
        yield Caution("receipts", f"The receipt {one.capitalize()} is not asked for: {RECEIPTS[one]}.")
    long = sum(1 for line in checked.lines if len(line.text) > ADVISED)
    if long:
        yield Caution(
            "long",
            f"{_messages(long)} with more than {ADVISED} characters, which Webex Connect advises against. Shorten the text.",
        )
    if order.service.quiet_hours and not order.respect_quiet_hours:
        yield Caution("quiet_hours", f"The quiet hours {order.service.quiet_hours} are not respected.")
    if cost.entered and cost.unpriced:
        yield Caution("price", f"{cost.says} The cost leaves them out.")


def _short_domain(order: compose.Order) -> str:
    domain = order.link_domain
    if domain is not None and domain.is_shared:
        return (
            f"{domain} is shared with other senders, and some operators filter such short links without notice. "
            "A domain of your own is filtered less."
        )
    return f"Some operators filter short links without notice, also those on {domain}."


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
