"""Who would notice a change of a template, and what would be different for them."""

from dataclasses import dataclass

from sms.catalogue.placeholder_rules import placeholders_of
from sms.models import Draft, MessageTemplate, Send, SendState, TemplateVersion
from sms.values import text

SHOWN_USERS = 20


@dataclass(frozen=True, slots=True)
class TemplateUsers:
    """Who would notice a change: drafts that are not sent, and sends that are scheduled (which keep their version)."""

    drafts: list[Draft]
    drafts_count: int
    scheduled: list[Send]
    scheduled_count: int


def users_of(template: MessageTemplate, language: str = "") -> TemplateUsers:
    """At most SHOWN_USERS of each kind, with their counts."""
    drafts = Draft.objects.filter(template=template, language=language, send=None)
    waits = (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
    scheduled = Send.objects.filter(template=template, state__in=waits)
    return TemplateUsers(
        list(drafts[:SHOWN_USERS]), drafts.count(), list(scheduled[:SHOWN_USERS]), scheduled.count()
    )


@dataclass(frozen=True, slots=True)
class PlaceholderDifference:
    """Placeholders that a version adds or removes against the published one. One with a fallback breaks no send."""

    added: list[str]
    removed: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def placeholder_difference(old: TemplateVersion | None, new: TemplateVersion) -> PlaceholderDifference:
    before = {text.match_key(one.name): one.name for one in placeholders_of(old)} if old else {}
    after = {text.match_key(one.name): one for one in placeholders_of(new)}
    added = [one.name for key, one in after.items() if key not in before and not one.fallback]
    removed = [name for key, name in before.items() if key not in after]
    return PlaceholderDifference(added if old else [], removed)
