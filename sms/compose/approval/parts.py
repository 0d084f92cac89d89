"""The parts of a fingerprint: which fields an approval is bound to, in which part, and how people call each part.

Every field of a send and of a message is listed as part of one or, with the reason, as exempt; a test fails on a field that is in neither.
"""

from collections.abc import Sequence

from django.utils.translation import gettext, gettext_noop

from sms.models import SendOptions
from sms.words import listed

# Names are those that people read about (WORDS); paths are fields of the send or of what it points to.
PARTS: dict[str, tuple[str, ...]] = {
    "text": (
        *("text", "template_id", "template_version_id", "template_version__text"),
        *("template_version__provider_template_id", "template__provider_template_id"),
    ),
    "sender": ("service_id", "sender_id", "sender__address", "sender__kind"),
    "domain": ("link_domain_id", "link_domain__host"),
    "policy": (
        *("policy_group_id", "policy_group__group_id"),
        *("policy_group__check_consent", "policy_group__apply_frequency_cap"),
    ),
    "smartlinks": ("smartlinks",),
    "callback_data": ("callback_data",),
    "due_at": ("due_at",),
    "expires_at": ("expires_at",),
    "quiet_hours": ("quiet_hours",),
    "lane": ("lane",),
    "resend": ("resend",),
    "ramp": ("ramp",),
}
_in_parts = {path for paths in PARTS.values() for path in paths}
PARTS["options"] = tuple(one.attname for one in SendOptions.fields() if one.attname not in _in_parts)
EXEMPT: dict[str, str] = {
    "id": "names the send and is never written again",
    "name": "a label for people, which says the time and changes with it",
    "state": "checked by `sms.dispatch.last_look`, with the request",
    "approvers": "how many are asked, not what they are asked about",
    "time_zone": "in which the time is shown to people",
    "counted_on": "whose spend caps hold room for it, and moves with its time",
    "counted_key": "whose spend cap does",
    "test": "a test needs no approval, and no other send becomes one",
    "simulated": "nothing of it is posted, and no send becomes another: a trigger of the database refuses it",
    "tested_id": "which draft a test was of",
    "stage": "how far a ramp has come",
    "recipients": "counted in the audience part",
    "rejected": "rows that become no message",
    "source": "where the numbers came from; the numbers themselves are in the audience part",
    "audience_id": "where the numbers came from, as above",
    "reference": "what a partner was answered with",
    "file_sha256": "where the numbers came from, as above",
    "audience_digest": "where the numbers came from, as above",
    "client_reference": "the partner's own name for it",
    "content_type": "the partner's own word for the text, which is posted as it needs",
    "created_at": "when it was made",
    "created_by_id": "whose it is; its authors are kept with the request",
    "partner": "whose it is",
    "owner": "whose it is",
    "posted_at": "when it was handed over",
    "settled_at": "when the last of it had its end",
    "cancelled_at": "nothing of a cancelled send is posted",
    "cancelled_by": "nothing of a cancelled send is posted",
}
# Of every message, in the order of their rows.
MESSAGE_PARTS: dict[str, tuple[str, ...]] = {
    "audience": ("row", "msisdn", "zone"),
    "values": ("text", "substitutions"),
}
MESSAGE_EXEMPT: dict[str, str] = {
    "id": "its place; rows are digested in this order",
    "send_id": "messages are read by their send",
    "country": "follows from the number",
    "segments": "follow from the text",
} | dict.fromkeys(
    (
        *("state", "attempt", "resent", "code", "detail", "provider_id", "carrier", "segments_billed"),
        *("posted_at", "queued_at", "submitted_at", "final_at"),
    ),
    "its outcome",
)
WORDS = {
    "text": gettext_noop("the text or template"),
    "sender": gettext_noop("the sender"),
    "domain": gettext_noop("the short-link domain"),
    "policy": gettext_noop("the contact policy"),
    "smartlinks": gettext_noop("the smartlinks"),
    "callback_data": gettext_noop("the callback data"),
    "options": gettext_noop("links, receipts or other options"),
    "due_at": gettext_noop("the time"),
    "expires_at": gettext_noop("the expiry"),
    "quiet_hours": gettext_noop("the quiet hours"),
    "lane": gettext_noop("the lane"),
    "resend": gettext_noop("what happens if it is not confirmed"),
    "ramp": gettext_noop("whether it starts small"),
    "audience": gettext_noop("who gets it"),
    "values": gettext_noop("the texts of single recipients"),
    # of a standing approval (`sms.sends.recurring.standing`)
    "rhythm": gettext_noop("how often it comes"),
    "list": gettext_noop("the saved audience"),
}


def words_of(parts: Sequence[str]) -> str:
    """As in “the sender, the time and who gets it”."""
    return listed(gettext(WORDS[part]) if part in WORDS else part for part in parts)
