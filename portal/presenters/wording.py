"""What the folds of the compose page hold, in a few words."""

from django.utils import timezone

from portal.forms import time_zones
from sms.compose.options import DEFAULT_RECEIPTS, policy_checks
from sms.models import Draft, Resend, Send, Service


def folds(draft: Draft, service: Service) -> dict[str, str]:
    return {
        "when": time_zones.in_words(draft.send_at, draft.time_zone or timezone.get_current_timezone_name())
        if draft.send_at
        else "now",
        "links": _links(draft),
        "policy": _policy(draft),
        "expiry": _expiry(draft),
        "pace": _pace(draft, service),
        "receipts": _receipts(draft),
    }


def _links(draft: Draft) -> str:
    if draft.link_domain is None:
        return "left as they are"
    tags = ", ".join(tag for tag in (draft.tag1, draft.tag2) if tag)
    clicks = "clicks counted" if draft.track_clicks else "clicks not counted"
    return f"shortened on {draft.link_domain}, {clicks}{f', tags {tags}' if tags else ''}"


def _policy(draft: Draft) -> str:
    if draft.policy_group is None:
        return "none"
    consent, cap = policy_checks(draft, draft.policy_group)
    checks = [words for words, wanted in (("consent", consent), ("frequency cap", cap)) if wanted]
    return f"{draft.policy_group}: {' and '.join(checks) or 'nothing checked'}"


def _expiry(draft: Draft) -> str:
    if draft.validity:
        return f"{duration(draft.validity)} after hand-over"
    if draft.expires_at:
        return time_zones.in_words(draft.expires_at, draft.time_zone or timezone.get_current_timezone_name())
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
    asked = draft.receipts or DEFAULT_RECEIPTS
    words = "all" if set(asked) >= set(DEFAULT_RECEIPTS) else ", ".join(one.capitalize() for one in asked)
    return f"{words}{', with callback data' if draft.callback_data else ''}"


def asked(send: Send) -> list[tuple[str, str]]:
    """What a send asks of the provider beyond the usual, each with its name, and the zone that its time was meant in."""
    kept, found = send.options, []
    if send.time_zone:
        found.append(("Time meant", time_zones.in_words(send.due_at, send.time_zone)))
    if policy := kept.get("contactPolicy"):
        checks = [
            words for words, name in (("consent", "consent"), ("frequency cap", "cap")) if policy.get(name)
        ]
        found.append(("Checked at each message", " and ".join(checks) or "nothing"))
    if tags := [tag for name in ("tag1", "tag2") if (tag := kept.get("options", {}).get(name))]:
        found.append(("Tags", ", ".join(tags)))
    if receipts := kept.get("receipts"):
        found.append(("Receipts asked for", ", ".join(one.capitalize() for one in receipts)))
    if validity := kept.get("validity"):
        found.append(("Valid for", f"{duration(validity)} after hand-over"))
    if send.callback_data:
        found.append(("Callback data", send.callback_data))
    return found


def duration(seconds: int) -> str:
    """`2 hours`, in the largest unit that comes out even."""
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("every number of seconds is a number of seconds")
