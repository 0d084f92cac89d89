"""Advice about a text and its sender while it is being written."""

from collections.abc import Iterable

from sms.audiences.sample import AudienceSample
from sms.catalogue import senders
from sms.catalogue.link_lengths import LINK
from sms.compose.links import domain_cautions, filtering
from sms.compose.resolved_order import ResolvedOrder
from sms.compose.survey import ADVISED, Survey
from sms.models import Sender
from sms.values.country_names import country_name
from sms.webex.limits import SMARTLINK


def hints_of(order: ResolvedOrder, figures: Survey) -> list[str]:
    """Sentences, each with its way out. `figures` are of the sample."""
    written, options = order.text, order.options
    domain = options.link_domain if options.shortens else None
    if order.template is not None and not written:
        return ["The provider's template makes the text, so nothing can be said of it here."]
    if not written.strip():
        return []
    found = [*(one.text for one in order.text_problems), *(one.text for one in order.cautions)]
    if SMARTLINK.search(written):
        found.append("Smartlinks give no click receipts, so their clicks cannot be measured.")
    if domain is not None and LINK.search(written):
        found += [filtering(domain), *domain_cautions(domain)]
    elif domain is not None and not SMARTLINK.search(written):
        found.append(f"There is no https:// link in the text, so {domain} is not used.")
    longest = max((len(one.text) for one in figures.longest), default=len(written))
    if longest > ADVISED:
        found.append(
            f"The longest text has {longest:,} characters; Webex Connect advises to stay below {ADVISED}."
        )
    limit = order.service.text_limit
    if not order.placeholders and (length := order.service.length_of(written)) > limit:
        found.append(f"{length:,} characters are too many: this service allows {limit:,}.")
    return found


def senders_of(
    offered: Iterable[Sender], sample: AudienceSample
) -> tuple[list[tuple[Sender, str]], list[tuple[Sender, str]]]:
    """Senders that a country of the audience refuses, and those that it may."""
    refused: list[tuple[Sender, str]] = []
    doubted: list[tuple[Sender, str]] = []
    for sender in offered:
        for country, number in sorted(sample.countries.items(), key=lambda one: -one[1]):
            judged = senders.judge(sender, country)
            where = f"{number:,} to {country_name(country)}: {judged.text}"
            if judged.level == senders.SenderFit.REFUSED:
                refused.append((sender, where))
                break
            if judged.level == senders.SenderFit.WARNING:
                doubted.append((sender, where))
                break
    return refused, doubted
