"""Templates: making drafts, publishing and retiring versions, who uses one, and what a placeholder takes.

Called by the template pages, the admin and `sms.compose`. A version that was published never changes: the next one is another row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils import timezone

from sms.models import (
    Actor,
    Draft,
    MessageTemplate,
    Send,
    SendState,
    Service,
    TemplateVersion,
    VersionState,
)
from sms.models.audit import audit
from sms.values import text, text_hints

KINDS = {"text": "Text", "number": "Number", "date": "Date", "link": "Link"}
LONGEST = 500  # characters of a value whose length nobody limited
SHOWN_USERS = 20
_LINK = re.compile(r"https://[^\s/]+\.[^\s]+|https://localhost\S*", re.IGNORECASE)


class TemplateError(ValueError):
    """It cannot be saved or published as it stands; `field` is the form's."""

    def __init__(self, sentence: str, field: str = "text") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder: what goes in, an example, what stands there for whoever has none, and how long a value may be (0: any)."""

    name: str
    kind: str = "text"
    example: str = ""
    fallback: str = ""
    max_length: int = 0

    def problem(self, value: str) -> str:
        """Why `value` does not fit, or ""."""
        if self.max_length and len(value) > self.max_length:
            return f"$({self.name}) has {len(value):,} characters; {self.max_length:,} are allowed."
        if self.kind == "number" and not _is_number(value):
            return f"$({self.name}) takes a number, not “{value[:40]}”."
        if self.kind == "date" and not _is_date(value):
            return f"$({self.name}) takes a date like 2026-03-31 or 31.03.2026, not “{value[:40]}”."
        if self.kind == "link" and not _LINK.fullmatch(value):
            return f"$({self.name}) takes a link that begins with https://, not “{value[:40]}”."
        return ""


def _is_number(value: str) -> bool:
    try:
        return Decimal(value.replace(",", "").replace(" ", "").replace("'", "")).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y"):
        try:
            datetime.strptime(value, pattern)  # noqa: DTZ007 - only whether it is a day
        except ValueError:
            continue
        return True
    try:
        return bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def holes_of(version: TemplateVersion) -> list[Placeholder]:
    """The placeholders in the order of the text; of a provider's template as they were listed."""
    noted = {text.match_key(str(one["name"])): one for one in version.placeholders}
    names = (
        text.placeholders(version.text)
        if version.text
        else [str(one["name"]) for one in version.placeholders]
    )
    return [Placeholder(**{**noted.get(text.match_key(name), {}), "name": name}) for name in names]


def holes_by_key(version: TemplateVersion | None) -> dict[str, Placeholder]:
    """The placeholders by the form in which names are compared; none without a version."""
    return {text.match_key(one.name): one for one in holes_of(version)} if version else {}


def worst_case(version: TemplateVersion) -> text.TextLength | None:
    """Segments with the longest values that may go in; None where the provider holds the text.

    Where a length is not limited, the longer of example and fallback is taken.
    """
    if not version.text:
        return None
    return text.segments(
        text.render(version.text, substitutions={one.name: _longest(one) for one in holes_of(version)})
    )


def _longest(hole: Placeholder) -> str:
    known = max(hole.example, hole.fallback, key=len)
    return (known + "x" * max(0, hole.max_length - len(known))) or hole.name


def example(version: TemplateVersion) -> str:
    """The text with its examples in it."""
    values = {one.name: one.example or one.fallback or f"[{one.name}]" for one in holes_of(version)}
    return text.render(version.text, substitutions=values) if version.text else ""


# --- the life of a version ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wording:
    """What a version says. Either `text` or `provider_id`."""

    text: str = ""
    provider_id: str = ""
    language: str = ""
    holes: Sequence[Placeholder] = ()

    def check(self) -> None:
        """Raises TemplateError."""
        if bool(self.text.strip()) == bool(self.provider_id):
            raise TemplateError("Write a text or give the provider's template id, and not both.")
        if problems := text_hints.unknown(self.text):
            raise TemplateError(" ".join(problems))
        for hole in self.holes:
            if hole.fallback and (problem := hole.problem(hole.fallback)):
                raise TemplateError(f"The fallback does not fit: {problem}", "placeholders")
            if hole.example and (problem := hole.problem(hole.example)):
                raise TemplateError(f"The example does not fit: {problem}", "placeholders")


@transaction.atomic
def create(service: Service, name: str, wording: Wording, *, by: Actor) -> MessageTemplate:
    """A new template, whose first version is published at once, so that it can be used; raises TemplateError."""
    wording.check()
    if wording.language:
        raise TemplateError(
            "The first wording is the one without a language. Add languages afterwards.", "language"
        )
    if MessageTemplate.objects.filter(service=service, name=name).exists():
        raise TemplateError(
            f"There is a template “{name}” already. Choose another name, or change that one.", "name"
        )
    made = MessageTemplate.objects.create(service=service, name=name, **_mirrored(wording))
    audit("template.created", made, by=by, named=made.name)
    publish(save_draft(made, wording, by=by), by=by)
    return made


@transaction.atomic
def save_draft(template: MessageTemplate, wording: Wording, *, by: Actor) -> TemplateVersion:
    """The draft of that language, made or changed; nobody uses it before it is published. Raises TemplateError."""
    wording.check()
    locked = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    draft = locked.versions.filter(language=wording.language, state=VersionState.DRAFT).first()
    if draft is None:
        last = locked.versions.values_list("number", flat=True).first() or 0
        draft = TemplateVersion(template=locked, number=last + 1, language=wording.language)
    draft.text, draft.provider_template_id = wording.text, wording.provider_id
    draft.placeholders = [asdict(one) for one in wording.holes]
    draft.made_by = by.label
    draft.save()
    audit(
        "template.draft_saved",
        locked,
        by=by,
        named=locked.name,
        version=draft.number,
        language=draft.language,
    )
    return draft


@transaction.atomic
def publish(version: TemplateVersion, *, by: Actor, now: datetime | None = None) -> None:
    """From now on new sends use it; the one before is retired. Sends that exist keep their version."""
    now = now or timezone.now()
    template = MessageTemplate.objects.select_for_update().get(pk=version.template_id)
    version.refresh_from_db()
    if version.state != VersionState.DRAFT:
        raise TemplateError("Only a draft can be published, and this one is none any more.", "")
    template.versions.filter(language=version.language, state=VersionState.PUBLISHED).update(
        state=VersionState.RETIRED, retired_at=now
    )
    version.state, version.published_at, version.published_by = VersionState.PUBLISHED, now, by.label
    version.save(update_fields=["state", "published_at", "published_by"])
    if not version.language:
        wording = Wording(version.text, version.provider_template_id, "", holes_of(version))
        for name, value in _mirrored(wording).items():
            setattr(template, name, value)
        template.save()
    audit(
        "template.published",
        template,
        by=by,
        named=template.name,
        version=version.number,
        language=version.language,
    )


@transaction.atomic
def retire(version: TemplateVersion, *, by: Actor, now: datetime | None = None) -> None:
    """A language is offered no more, or a draft is given up. The wording without a language stays while the template is used."""
    if version.state == VersionState.PUBLISHED and not version.language:
        raise TemplateError(
            "This wording is the one that sends use. Publish another one, or archive the template.", ""
        )
    version.state, version.retired_at = VersionState.RETIRED, now or timezone.now()
    version.save(update_fields=["state", "retired_at"])
    audit(
        "template.version_retired",
        version.template,
        by=by,
        named=version.template.name,
        version=version.number,
        language=version.language,
    )


def set_active(template: MessageTemplate, active: bool, *, by: Actor) -> None:
    """Archive it or take it back; archived, it is offered no more and its history stays."""
    with transaction.atomic():
        template.active = active
        template.save(update_fields=["active", "changed_at"])
        audit("template.restored" if active else "template.archived", template, by=by, named=template.name)


def adopt(template: MessageTemplate, *, by: Actor) -> None:
    """After an edit by another door (the admin): where the template differs from its published version, publish that."""
    names = [name.strip() for name in template.provider_placeholders.split(",") if name.strip()]
    current = published(template)
    same = current is not None and (current.text, current.provider_template_id) == (
        template.text,
        template.provider_template_id,
    )
    if same and current is not None and (template.text or [one.name for one in holes_of(current)] == names):
        return
    before = {text.match_key(one.name): one for one in holes_of(current)} if current else {}
    names = text.placeholders(template.text) if template.text else names
    holes = [before.get(text.match_key(name), Placeholder(name)) for name in names]
    publish(
        save_draft(template, Wording(template.text, template.provider_template_id, "", holes), by=by), by=by
    )


def _mirrored(wording: Wording) -> dict[str, str]:
    names = "" if wording.text else ", ".join(one.name for one in wording.holes)
    return {
        "text": wording.text,
        "provider_template_id": wording.provider_id,
        "provider_placeholders": names,
    }


# --- use ----------------------------------------------------------------------------------------------------------------


def published(template: MessageTemplate, language: str = "") -> TemplateVersion | None:
    """The version that new sends use in a language."""
    return template.versions.filter(language=language, state=VersionState.PUBLISHED).first()


@dataclass(frozen=True, slots=True)
class Users:
    """Who would notice a change: drafts that are not sent, and sends that are scheduled (which keep their version)."""

    drafts: list[Draft]
    drafts_count: int
    scheduled: list[Send]
    scheduled_count: int
    partners: tuple[str, ...] = ()


def users_of(template: MessageTemplate, language: str = "") -> Users:
    """The one list of users; at most SHOWN_USERS of each kind, with their counts."""
    drafts = Draft.objects.filter(template=template, language=language, send=None)
    waits = (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
    scheduled = Send.objects.filter(template=template, state__in=waits)
    return Users(list(drafts[:SHOWN_USERS]), drafts.count(), list(scheduled[:SHOWN_USERS]), scheduled.count())


@dataclass(frozen=True, slots=True)
class PlaceholderDifference:
    """Placeholders that a version adds or removes against the published one. One with a fallback breaks nobody."""

    added: list[str]
    removed: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def change(old: TemplateVersion | None, new: TemplateVersion) -> PlaceholderDifference:
    """What whoever fills the template must do differently."""
    before = {text.match_key(one.name): one.name for one in holes_of(old)} if old else {}
    after = {text.match_key(one.name): one for one in holes_of(new)}
    added = [one.name for key, one in after.items() if key not in before and not one.fallback]
    return PlaceholderDifference(
        added if old else [], [name for key, name in before.items() if key not in after]
    )


def fitted(values: Mapping[str, str], holes: Mapping[str, Placeholder]) -> tuple[dict[str, str], str]:
    """A row's values with fallbacks for what is empty, and why one does not fit, or ""."""
    filled = {
        name: value or (holes[name].fallback if name in holes else "") for name, value in values.items()
    }
    for name, value in filled.items():
        if value and name in holes and (problem := holes[name].problem(value)):
            return filled, problem
    return filled, ""
