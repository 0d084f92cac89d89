"""What the folds of the compose page hold, in a few words."""

from portal.forms import time_zones
from sms.compose.options import checks_in_words, in_words
from sms.models import USUAL_RECEIPTS, Draft, Resend, Send, Service
from sms.sends.own_numbers import without_recipients

# options that the page of a send shows in places of their own
SHOWN_APART = (
    *("check_consent", "apply_frequency_cap", "expires_at", "validity"),
    *("lane", "resend", "ramp", "respect_quiet_hours", "language"),
)

IN_FOLDS = (*SHOWN_APART, "shorten_links", "track_clicks", "tag1", "tag2", "receipts", "leave_out")


def folds(draft: Draft, service: Service) -> dict[str, str]:
    return {
        "when": time_zones.in_words(draft.send_at, draft.time_zone) if draft.send_at else "now",
        "links": _links(draft),
        "policy": _policy(draft),
        "expiry": _expiry(draft),
        "pace": _pace(draft, service),
        "receipts": _receipts(draft),
        "left_out": str(draft.leave_out).lower() or "none",
    }


def _links(draft: Draft) -> str:
    if not draft.shortens:
        return "left as they are"
    tags = ", ".join(tag for tag in (draft.tag1, draft.tag2) if tag)
    clicks = "clicks counted" if draft.track_clicks else "clicks not counted"
    return f"shortened on {draft.link_domain}, {clicks}{f', tags {tags}' if tags else ''}"


def _policy(draft: Draft) -> str:
    if draft.policy_group is None:
        return "none"
    return f"{draft.policy_group}: {checks_in_words(draft) or 'nothing checked'}"


def _expiry(draft: Draft) -> str:
    if draft.validity:
        return f"{duration(draft.validity)} after hand-over"
    if draft.expires_at:
        return time_zones.in_words(draft.expires_at, draft.time_zone)
    return "never"


def _pace(draft: Draft, service: Service) -> str:
    words = [f"{draft.get_lane_display().partition(':')[0].lower()} lane"]
    if draft.ramp:
        words.append("starts small")
    if service.quiet_hours:
        words.append("quiet hours respected" if draft.respect_quiet_hours else "quiet hours not respected")
    if draft.resend != Resend.NEVER:
        words.append("sent again in doubt")
    return ", ".join(words)


def _receipts(draft: Draft) -> str:
    words = "all" if USUAL_RECEIPTS in draft.receipts else str(draft.receipts)
    return f"{words}{', with callback data' if draft.callback_data else ''}"


def asked(send: Send) -> list[tuple[str, str]]:
    """What a send asks for beyond the usual, each with its name, and the zone that its time was meant in."""
    found = []
    if send.time_zone:
        found.append(("Time meant", time_zones.in_words(send.due_at, send.time_zone)))
    if (send.check_consent, send.apply_frequency_cap) != (None, None) and send.policy_group:
        found.append(("Checked at each message", checks_in_words(send) or "nothing"))
    if send.validity:
        found.append(("Valid for", f"{duration(send.validity)} after hand-over"))
    beside = in_words(send, without=SHOWN_APART).items()
    return [*found, *((name, without_recipients(words, send)) for name, words in beside)]


def beside_folds(draft: Draft) -> list[tuple[str, str]]:
    """Options that are not as usual and that `folds` says nothing of."""
    return list(in_words(draft, without=IN_FOLDS).items())


def duration(seconds: int) -> str:
    """`2 hours`, in the largest unit that comes out even."""
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("every number of seconds is a number of seconds")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 message`, `1,200 messages`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
