"""Filters that every template has: how numbers, states and figures are written on screen."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from portal.presenters import wording
from portal.presenters.audit_words import noun_in_words
from portal.presenters.bars import state_bar
from portal.presenters.report_table import in_percent
from portal.presenters.send_state import state_words
from sms.catalogue import link_lengths, prices
from sms.compose.order import ComposedMessage
from sms.models import Draft, Message, MessageState, OptOut, SendState, Service
from sms.models.audit_acts import DOORS, THROUGH, words_of
from sms.sends.calendar import CalendarEntry
from sms.sends.own_numbers import without_recipients
from sms.sends.person.identity import key_of
from sms.sends.replies import inbox
from sms.values.country_names import country_here
from sms.values.msisdn import mask, pretty
from sms.values.msisdn.mention import masked, numbers_like, starred
from sms.values.problems import code_of
from sms.words import number, retold

register = template.Library()
register.filter("masked", mask)
register.filter("hiding", starred)  # a text in which the recipient's own number may stand
register.filter("to_nobody", without_recipients)  # a text of a send
register.filter("pretty_number", pretty)
register.filter("state_bar", state_bar)
register.filter("state_words", state_words)  # of how far a send is
register.filter("problem_code", code_of)
register.filter("asked_for", wording.asked)  # of a send
register.filter("act_words", words_of)  # `send.created` → `Created the send`
register.filter("retold", retold)  # of a sentence that is stored
register.filter("amount", prices.plain)  # `0.045000` → `0.045`


def _words(known: Iterable[tuple[str, Any]]) -> Callable[[str], str]:
    """A filter that says what a stored word is called; one that is not known is written as it stands."""
    words = dict(known)
    return lambda stored: str(words.get(stored, stored.replace("_", " ")))


RULES = {
    "failures": gettext_lazy("too many failures"),
    "silence": gettext_lazy("receipts are missing"),
    "opt_outs": gettext_lazy("too many opt-outs"),
    "unreadable": gettext_lazy("something stored of it cannot be read"),
}
register.filter("message_state_label", _words(MessageState.choices))  # `queued` → `Accepted`
register.filter("send_state_label", _words(SendState.choices))
register.filter("opt_out_source", _words(OptOut.Source.choices))  # `inbound` → `By SMS`
register.filter("door_words", _words(DOORS.items()))  # `cli` → `Command line`
register.filter("through_words", _words(THROUGH.items()))  # `cli` → `the command line`
register.filter("rule_words", _words(RULES.items()))  # of an automatic hold


@register.filter
def on_phone(text: str, host: str) -> str:
    """A text with its links as they arrive where they are shortened on `host`; empty where they stay."""
    return link_lengths.shortened(text, host)[0]


@register.filter
def text_on_phone(message: Message) -> str:
    """Of a message, with its send: as the person sees it, but for the digits of their own number."""
    return starred(link_lengths.shortened(message.text, message.send.link_host)[0], message.msisdn)


@register.filter
def segments_on_phone(line: ComposedMessage, host: str) -> str:
    """`1 segment`, `1 to 2 segments`: of the text with its links as they arrive; empty where the provider makes it."""
    if not line.text:
        return ""
    least, most = link_lengths.span(line.text, host)
    if least == most:
        return ngettext("%(n)s segment", "%(n)s segments", most) % {"n": most}
    words = ngettext("%(least)s to %(n)s segment", "%(least)s to %(n)s segments", most)
    return words % {"least": least, "n": most}


@register.filter
def written(text: str, service: Service | None = None) -> str:
    """What people, networks and programs wrote: numbers of people may stand in it. With a `service`, its own senders stay readable."""
    return masked(text, but=service.sender_digits if service is not None and numbers_like(text) else ())


@register.filter
def is_among(pk: int, asked: QueryDict) -> bool:
    """Whether the address says that the row was ticked."""
    return str(pk) in asked.getlist("row")


@register.simple_tag
def person_url(service: Service, number: str) -> str:
    """The page of the person with a number as it is stored; empty where none can be named: `{% if %}` before linking."""
    key = key_of(service, number)
    return reverse("person_page", args=[service.slug, key]) if key else ""


@register.filter
def entry_url(one: CalendarEntry) -> str:
    """Where an entry of the calendar leads: to its send, its recurring send or its draft."""
    leads = {"send": one.send, "recurring_send": one.recurring, "draft": one.draft}
    name, thing = next((name, thing) for name, thing in leads.items() if thing is not None)
    return reverse(name, args=[one.service.slug, thing.pk])


@register.filter
def entry_icon(state: str) -> str:
    """Of an entry of the calendar: states of sends have pictures of their own names."""
    return {"draft": "compose", "held": "paused", "forecast": "repeat"}.get(state, state)


@register.filter
def beside_folds(draft: Draft) -> list[tuple[str, str]]:
    return wording.beside_folds(draft)


@register.filter
def folds(draft: Draft) -> dict[str, str]:
    """What a draft holds, in a few words for each part of its page."""
    return wording.folds(draft, draft.service)


@register.filter
def noun_words(noun: str) -> str:
    """`api_key` → `Api key`."""
    return noun_in_words(noun)


@register.filter
def detail_words(value: object) -> str:
    """A value of an audit row's details, as a person would write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or pgettext("list", "none")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items()) or pgettext("list", "none")
    return "–" if value in (None, "") else str(value)


@register.filter
def up_to_counted(count: int) -> str:
    """A figure of the replies inbox, which is not counted any further."""
    if count > inbox.COUNTED:
        return _("More than %(n)s") % {"n": number(inbox.COUNTED)}
    return number(count)


@register.filter
def share(part: int, whole: int) -> str:
    """A percentage that never rounds a few to none or nearly all to all."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return in_percent("<1")
    if 99 < percent < 100:
        return in_percent(">99")
    return in_percent(f"{percent:.0f}")


@register.filter
def of_key(things: dict[object, object], key: object) -> object:
    """`things[key]`, or nothing."""
    return things.get(key)


register.filter("country_name", country_here, is_safe=False)


@register.filter
def money(total: Decimal) -> str:
    """`1234.5` → `1,234.50`; of less than a cent, as many places as it takes."""
    places = 2 if total == 0 or total >= Decimal("0.01") else 6
    return number(Decimal(f"{total:.{places}f}"))


@register.filter
def stretch(time: timedelta) -> str:
    """`1:05:20` → `1 h 5 min`; less than a minute is `1 min`, days are not split up."""
    hours, minutes = divmod(max(round(time.total_seconds() / 60), 1), 60)
    if hours >= 48:
        days = round(hours / 24)
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    if not hours:
        return _("%(n)s min") % {"n": minutes}
    words = _("%(hours)s h %(minutes)s min") if minutes else _("%(hours)s h")
    return words % {"hours": hours, "minutes": minutes}
