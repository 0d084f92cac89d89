"""Filters that every template has: how numbers, states and figures are written on screen."""

from django import template

from sms.models import MessageState, OptOut, SendState
from sms.msisdn import mask, pretty

register = template.Library()

register.filter("masked", mask)
register.filter("pretty_number", pretty)


@register.filter
def message_state_label(state: str) -> str:
    """`queued` → `Accepted`."""
    return str(MessageState(state).label) if state in MessageState.values else state


@register.filter
def send_state_label(state: str) -> str:
    """`sending` → `Sending`."""
    return str(SendState(state).label) if state in SendState.values else state


ACTS = {
    "send.created": "Composed and committed",
    "send.cancelled": "Cancelled",
    "send.paused": "Paused",
    "send.resumed": "Resumed",
    "send.stage": "Next stage let go",
    "messages.send_again": "Sent again, though not confirmed",
    "messages.treat_as_sent": "Treated as sent",
    "messages.give_up": "Given up",
    "optout.added": "Opted out",
    "optout.lifted": "Opt-out lifted",
    "sender.paused": "Sender paused",
    "sender.resumed": "Sender resumed",
    "sender.stopped": "Everything of the sender stopped",
    "domain.paused": "Short-link domain paused",
    "domain.resumed": "Short-link domain resumed",
    "domain.stopped": "Everything of the short-link domain stopped",
    "report.exported": "Report exported",
    "report.fetched": "Report file fetched",
    "report.scheduled": "Report by e-mail set up",
    "report.unscheduled": "Report by e-mail ended",
    "report.mailed": "Report sent by e-mail",
    "service.paused": "Service paused",
    "service.resumed": "Service resumed",
    "service.stopped": "Everything of the service stopped",
}
RULES = {
    "failures": "too many failures",
    "silence": "receipts are missing",
    "opt_outs": "too many opt-outs",
}


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
    """`send.created` → `Composed and committed`; an act without words of its own stays as it is."""
    return ACTS.get(act, act)


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
