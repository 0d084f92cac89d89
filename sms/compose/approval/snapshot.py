"""What people read of a send that waits for approval, kept with the request, so that the next one can be compared with it."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override, pgettext_lazy

from sms.compose import options
from sms.compose.approval.fingerprint import FingerprintFigures
from sms.compose.rejects import rejected_groups
from sms.models import Lane, Resend, Send

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# What the pages call each fact, in their order; "text" is compared word by word, "recipients" and "countries" by number.
FACTS: "dict[str, StrOrPromise]" = {
    "sender": pgettext_lazy("sender", "From"),
    "template": _("Template"),
    "domain": _("Links"),
    "policy": _("Policy group"),
    "due_at": _("Due"),
    "expires_at": _("Expires"),
    "quiet_hours": _("Quiet hours"),
    "lane": _("Lane"),
    "ramp": _("Starts small"),
    "resend": _("If we cannot tell whether it was sent"),
    "callback_data": _("Callback data"),
    "smartlinks": _("Smartlinks"),
    "options": _("Options"),
    "rejected": _("Rows left out"),
}


def snapshot_of(send: Send, figures: FingerprintFigures, *, at_once: bool) -> dict[str, Any]:
    """Plain JSON in English, without any recipient's number. What goes at once has no time yet."""
    with override("en"):
        return _facts_of(send, figures, at_once=at_once)


def _facts_of(send: Send, figures: FingerprintFigures, *, at_once: bool) -> dict[str, Any]:
    version, group = send.template_version, send.policy_group
    made_from = version or send.template
    return {
        "text": send.text,
        "provider_template": "" if send.text or made_from is None else made_from.provider_template_id,
        "sender": f"{send.sender} ({send.sender.get_kind_display().lower()})",
        "template": f"{send.template}, {version}" if version else str(send.template or ""),
        "domain": str(send.link_domain or ""),
        "policy": f"{group} ({options.checks_in_words(send)})" if group else "",
        "due_at": "" if at_once else send.due_at.isoformat(),
        "expires_at": send.expires_at.isoformat() if send.expires_at else "",
        "quiet_hours": send.quiet_hours,
        "lane": str(Lane(send.lane).label),
        "ramp": "yes" if send.ramp else "",
        "resend": str(Resend(send.resend).label),
        "callback_data": send.callback_data,
        "smartlinks": ", ".join(str(link) for link, _ in send.smartlinks),
        "options": options.in_words(send, without=FACTS),
        "rejected": "; ".join(one.text for one in rejected_groups(send)) if send.rejected else "",
        "recipients": figures.recipients,
        "segments": figures.segments,
        "worst": figures.worst,
        "countries": dict(figures.countries.most_common()),
        "spans": figures.spans,
        "groups": [[list(group), count] for group, count in figures.groups.items()],
    }
