"""Advice about a send before it goes out."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

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
from sms.words import number, retold

SHOWN_COLUMNS = 5
# By which of the two countries are reached; neither takes names as senders.
_REFUSED = {
    ("US",): gettext_noop(
        "%(sender)s is alphanumeric, and networks in the United States refuse such senders."
    ),
    ("CA",): gettext_noop("%(sender)s is alphanumeric, and networks in Canada refuse such senders."),
    ("US", "CA"): gettext_noop(
        "%(sender)s is alphanumeric, and networks in the United States and Canada refuse such senders."
    ),
}


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
        left_out = ngettext("%(n)s message left out.", "%(n)s messages left out.", count)
        yield Caution("sender_refused", f"{left_out % {'n': number(count)}} {retold(reason)}")
    sender = order.sender
    reached = tuple(code for code in ("US", "CA") if code in figures.countries)
    if sender is not None and sender.kind == SenderKind.ALPHANUMERIC and reached:
        yield Caution("alphanumeric_sender", _(_REFUSED[reached]) % {"sender": sender})
    reach = reach_cautions(sender, figures.recipients_by_country())
    for sentence in (*domain_cautions(order.options.link_domain), *reach):
        yield Caution("destination", sentence)
    if unknown := time_zones.unknown(zone for group in figures.groups for zone in group):
        yield Caution("time_zone", time_zones.waits_because(unknown[0]))
    if foreseen.too_late:
        says = ngettext(
            "%(n)s message would expire before being sent. Choose a later expiry or an earlier time.",
            "%(n)s messages would expire before being sent. Choose a later expiry or an earlier time.",
            foreseen.too_late,
        )
        yield Caution("too_late", says % {"n": number(foreseen.too_late)})
    if order.text:
        for found in order.cautions:
            yield Caution(found.code, found.text)
    else:
        says = _("The provider's template makes the text, so nothing can be said of it here.")
        yield Caution("template", says)
        if not order.placeholders and not order.values_as_given and (unused := _unused_columns(order)):
            way_out = _("If it has some, have an admin list them.")
            yield Caution("columns", f"{unused} {way_out}")
    if order.options.shortens and order.options.link_domain is not None:
        yield Caution("short_domain", filtering(order.options.link_domain))
    if order.options.validity is not None and not order.service.validity_kept:
        yield Caution(
            "validity",
            _(
                "It is not proved that operators drop a message once its validity is over, so it may still arrive later."
            ),
        )
    for one in missing_receipts(order.options) if order.partner is None else ():
        # Translators: without says what is then not known
        says = _("The receipt %(receipt)s is not asked for: %(without)s.")
        yield Caution("receipts", says % {"receipt": one, "without": _(str(WITHOUT[one]))})
    for says in spending.near(order, spending.of_figures(order, figures), now=now):
        yield Caution("spend_cap", says)
    if figures.long:
        says = ngettext(
            "%(n)s message with more than %(most)s characters, which Webex Connect advises against. Shorten the text.",
            "%(n)s messages with more than %(most)s characters, which Webex Connect advises against. Shorten the text.",
            figures.long,
        )
        yield Caution("long", says % {"n": number(figures.long), "most": ADVISED})
    if order.service.quiet_hours and not order.options.respect_quiet_hours:
        says = _("The quiet hours %(hours)s are not respected.") % {"hours": order.service.quiet_hours}
        yield Caution("quiet_hours", says)
    if cost.entered and cost.unpriced:
        without = _("The cost leaves them out.")
        yield Caution("price", f"{cost.detail} {without}")


def _unused_columns(order: ResolvedOrder) -> str:
    """That the columns beside the numbers go nowhere; empty where there are none."""
    used = {
        order.audience.column,
        order.correlation_heading,
        order.reference_heading,
        order.zone_heading,
    }
    names = [
        _("“%(name)s”") % {"name": one[:40]} for one in order.audience.headings if one and one not in used
    ]
    if not names:
        return ""
    more = len(names) - SHOWN_COLUMNS
    if more > 0:
        says = ngettext(
            "The catalogue lists no placeholders of %(template)s, so nothing of the columns %(names)s and %(n)s more is sent to it.",
            "The catalogue lists no placeholders of %(template)s, so nothing of the columns %(names)s and %(n)s more is sent to it.",
            more,
        )
    elif len(names) > 1:
        says = _(
            "The catalogue lists no placeholders of %(template)s, so nothing of the columns %(names)s is sent to it."
        )
    else:
        says = _(
            "The catalogue lists no placeholders of %(template)s, so nothing of the column %(names)s is sent to it."
        )
    shown = _(", ").join(names[:SHOWN_COLUMNS])
    return says % {"template": order.template, "names": shown, "n": number(more)}
