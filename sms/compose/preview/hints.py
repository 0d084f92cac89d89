"""Advice about a text and its sender while it is being written."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from sms.audiences.sample import AudienceSample
from sms.catalogue import senders
from sms.catalogue.link_lengths import LINK
from sms.compose.links import domain_cautions, filtering
from sms.compose.resolved_order import ResolvedOrder
from sms.compose.survey import ADVISED, Survey
from sms.models import Sender
from sms.values.country_names import country_here
from sms.webex.limits import SMARTLINK
from sms.words import number, retold


def hints_of(order: ResolvedOrder, figures: Survey) -> list[str]:
    """Sentences, each with its way out. `figures` are of the sample."""
    written, options = order.text, order.options
    domain = options.link_domain if options.shortens else None
    if order.template is not None and not written:
        return [_("The provider's template makes the text, so nothing can be said of it here.")]
    if not written.strip():
        return []
    found = [*(one.text for one in order.text_problems), *(one.text for one in order.cautions)]
    if SMARTLINK.search(written):
        found.append(_("Smartlinks give no click receipts, so their clicks cannot be measured."))
    if domain is not None and LINK.search(written):
        found += [filtering(domain), *domain_cautions(domain)]
    elif domain is not None and not SMARTLINK.search(written):
        says = _("There is no https:// link in the text, so %(domain)s is not used.")
        found.append(says % {"domain": domain})
    longest = max((len(one.text) for one in figures.longest), default=len(written))
    if longest > ADVISED:
        found.append(
            _("The longest text has %(characters)s characters; Webex Connect advises to stay below %(most)s.")
            % {"characters": number(longest), "most": number(ADVISED)}
        )
    limit = order.service.text_limit
    if not order.placeholders and (length := order.service.length_of(written)) > limit:
        says = _("%(characters)s characters are too many: this service allows %(most)s.")
        found.append(says % {"characters": number(length), "most": number(limit)})
    return found


def senders_of(
    offered: Iterable[Sender], sample: AudienceSample
) -> tuple[list[tuple[Sender, str]], list[tuple[Sender, str]]]:
    """Senders that a country of the audience refuses, and those that it may."""
    refused: list[tuple[Sender, str]] = []
    doubted: list[tuple[Sender, str]] = []
    for sender in offered:
        for country, count in sorted(sample.countries.items(), key=lambda one: -one[1]):
            judged = senders.judge(sender, country)
            # Translators: n is a number of people
            where = _("%(n)s to %(country)s: %(says)s") % {
                "n": number(count),
                "country": country_here(country),
                "says": retold(judged.text),
            }
            if judged.level == senders.SenderFit.REFUSED:
                refused.append((sender, where))
                break
            if judged.level == senders.SenderFit.WARNING:
                doubted.append((sender, where))
                break
    return refused, doubted
