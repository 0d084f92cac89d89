"""Filters that every template has: how numbers, states and figures are written on screen."""

from datetime import timedelta
from decimal import Decimal

from django import template

from portal.presenters import wording
from portal.presenters.send_progress import state_bar
from sms.catalogue import prices
from sms.models import Draft, MessageState, OptOut, Send, SendState
from sms.models.audit_acts import DOORS, words_of
from sms.values.msisdn import mask, pretty

register = template.Library()

register.filter("masked", mask)
register.filter("pretty_number", pretty)
register.filter("state_bar", state_bar)


@register.filter
def message_state_label(state: str) -> str:
    """`queued` → `Accepted`."""
    return str(MessageState(state).label) if state in MessageState.values else state


@register.filter
def send_state_label(state: str) -> str:
    """`sending` → `Sending`."""
    return str(SendState(state).label) if state in SendState.values else state


RULES = {
    "failures": "too many failures",
    "silence": "receipts are missing",
    "opt_outs": "too many opt-outs",
}


@register.filter
def asked_for(send: Send) -> list[tuple[str, str]]:
    """What a send asks of the provider beyond the usual, each with its name."""
    return wording.asked(send)


@register.filter
def folds(draft: Draft) -> dict[str, str]:
    """What a draft holds, in a few words for each part of its page."""
    return wording.folds(draft, draft.service)


REJECTS = {
    "duplicate": "more than once",
    "opted_out": "opted out",
    "sender_refused": "not reached by this sender",
    "missing_value": "without a value",
    "not_a_number": "no number",
    "": "left out",
}


@register.filter
def reject_words(code: str) -> str:
    """`duplicate` → `more than once`; a code without words of its own is written as words."""
    return REJECTS.get(code, code.replace("_", " "))


@register.filter
def opt_out_source(source: str) -> str:
    """`inbound` → `By SMS`."""
    return str(OptOut.Source(source).label) if source in OptOut.Source.values else source


@register.filter
def rule_words(rule: str) -> str:
    """The name of an automatic hold, in words; one without words of its own stays as it is."""
    return RULES.get(rule, rule.replace("_", " "))


@register.filter
def act_words(act: str) -> str:
    """`send.created` → `Created the send`; an act without words of its own stays as it is."""
    return words_of(act)


@register.filter
def door_words(door: str) -> str:
    """`cli` → `Command line`."""
    return DOORS.get(door, door)


@register.filter
def noun_words(noun: str) -> str:
    """`api_key` → `Api key`."""
    return noun.replace("_", " ").capitalize()


@register.filter
def detail_words(value: object) -> str:
    """A value of an audit row's details, as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items()) or "none"
    return "–" if value in (None, "") else str(value)


@register.filter
def share(part: int, whole: int) -> str:
    """A percentage that never rounds a few to none or nearly all to all."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"


@register.filter
def of_key(things: dict[object, object], key: object) -> object:
    """`things[key]`, or nothing."""
    return things.get(key)


@register.filter
def amount(price: Decimal) -> str:
    """`0.045000` → `0.045`."""
    return prices.plain(price)


@register.filter
def money(total: Decimal) -> str:
    """`1234.5` → `1,234.50`; of less than a cent, as many places as it takes."""
    places = 2 if total == 0 or total >= Decimal("0.01") else 6
    return f"{total:,.{places}f}"


@register.filter
def stretch(time: timedelta) -> str:
    """`1:05:20` → `1 h 5 min`; less than a minute is `1 min`, days are not split up."""
    hours, minutes = divmod(max(round(time.total_seconds() / 60), 1), 60)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return " ".join(part for part in (hours and f"{hours} h", minutes and f"{minutes} min") if part)
