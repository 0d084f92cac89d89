"""What the folds of the compose page hold, in a few words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from portal.forms import time_zones
from sms.compose.options import checks_in_words, in_words
from sms.models import USUAL_RECEIPTS, Draft, Lane, Resend, Send, Service
from sms.sends.own_numbers import without_recipients
from sms.values.msisdn.kinds import NumberKind
from sms.words import number

# options that the page of a send shows in places of their own
SHOWN_APART = (
    *("check_consent", "apply_frequency_cap", "expires_at", "validity"),
    *("lane", "resend", "ramp", "respect_quiet_hours", "language"),
)

IN_FOLDS = (*SHOWN_APART, "shorten_links", "track_clicks", "tag1", "tag2", "receipts", "leave_out")


LANES = {
    Lane.URGENT: gettext_lazy("urgent lane"),
    Lane.NORMAL: gettext_lazy("normal lane"),
    Lane.BULK: gettext_lazy("bulk lane"),
}
LEFT_OUT = {
    NumberKind.LANDLINE: gettext_lazy("landlines"),
    NumberKind.FREE: gettext_lazy("free-call numbers"),
    NumberKind.SPECIAL: gettext_lazy("special services"),
    NumberKind.MACHINE: gettext_lazy("machines"),
    NumberKind.UNASSIGNED: gettext_lazy("numbers in no known range"),
    NumberKind.OUTDATED: gettext_lazy("numbers in an old form"),
    NumberKind.ABROAD: gettext_lazy("numbers abroad without +"),
}


def folds(draft: Draft, service: Service) -> dict[str, str]:
    return {
        "when": time_zones.in_words(draft.send_at, draft.time_zone) if draft.send_at else _("now"),
        "links": _links(draft),
        "policy": _policy(draft),
        "expiry": _expiry(draft),
        "pace": _pace(draft, service),
        "receipts": _receipts(draft),
        "left_out": ", ".join(str(LEFT_OUT[one]) for one in draft.leave_out) or pgettext("numbers", "none"),
    }


def _links(draft: Draft) -> str:
    if not draft.shortens:
        return _("left as they are")
    tags = ", ".join(tag for tag in (draft.tag1, draft.tag2) if tag)
    if tags and draft.track_clicks:
        words = _("shortened on %(domain)s, clicks counted, tags %(tags)s")
    elif tags:
        words = _("shortened on %(domain)s, clicks not counted, tags %(tags)s")
    elif draft.track_clicks:
        words = _("shortened on %(domain)s, clicks counted")
    else:
        words = _("shortened on %(domain)s, clicks not counted")
    return words % {"domain": draft.link_domain, "tags": tags}


def _policy(draft: Draft) -> str:
    if draft.policy_group is None:
        return pgettext("policy group", "none")
    checks = checks_in_words(draft)
    if not checks:
        return _("%(group)s: nothing checked") % {"group": draft.policy_group}
    # Translators: checks is like “consent and the frequency cap”.
    return _("%(group)s: %(checks)s") % {"group": draft.policy_group, "checks": checks}


def _expiry(draft: Draft) -> str:
    if draft.validity:
        return _("%(time)s after hand-over") % {"time": duration(draft.validity)}
    if draft.expires_at:
        return time_zones.in_words(draft.expires_at, draft.time_zone)
    return _("never")


def _pace(draft: Draft, service: Service) -> str:
    words = [str(LANES[Lane(draft.lane)])]
    if draft.ramp:
        words.append(_("starts small"))
    if service.quiet_hours:
        respected = draft.respect_quiet_hours
        words.append(_("quiet hours respected") if respected else _("quiet hours not respected"))
    if draft.resend != Resend.NEVER:
        words.append(_("sent again in doubt"))
    return ", ".join(words)


def _receipts(draft: Draft) -> str:
    if USUAL_RECEIPTS in draft.receipts:
        return _("all, with callback data") if draft.callback_data else pgettext("receipts", "all")
    if not draft.callback_data:
        return str(draft.receipts)
    return _("%(receipts)s, with callback data") % {"receipts": draft.receipts}


def asked(send: Send) -> list[tuple[str, str]]:
    """What a send asks for beyond the usual, each with its name, and the zone that its time was meant in."""
    found = []
    if send.time_zone:
        found.append((_("Time meant"), time_zones.in_words(send.due_at, send.time_zone)))
    if (send.check_consent, send.apply_frequency_cap) != (None, None) and send.policy_group:
        found.append((_("Checked at each message"), checks_in_words(send) or _("nothing")))
    if send.validity:
        valid = _("%(time)s after hand-over") % {"time": duration(send.validity)}
        found.append((_("Valid for"), valid))
    beside = in_words(send, without=SHOWN_APART).items()
    return [*found, *((name, without_recipients(words, send)) for name, words in beside)]


def beside_folds(draft: Draft) -> list[tuple[str, str]]:
    """Options that are not as usual and that `folds` says nothing of."""
    return list(in_words(draft, without=IN_FOLDS).items())


def duration(seconds: int) -> str:
    """`2 hours`, in the largest unit that comes out even."""
    if seconds % 3600 == 0:
        count = seconds // 3600
        words = ngettext("%(n)s hour", "%(n)s hours", count)
    elif seconds % 60 == 0:
        count = seconds // 60
        words = ngettext("%(n)s minute", "%(n)s minutes", count)
    else:
        count = seconds
        words = ngettext("%(n)s second", "%(n)s seconds", count)
    return words % {"n": number(count)}


def counted(count: int, one: str, many: str = "") -> str:
    """`1 message`, `1,200 messages`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
