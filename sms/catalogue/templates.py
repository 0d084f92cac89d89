"""Templates: making, publishing, retiring and archiving them and their versions.

A published version never changes: the next one is another row.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sms.catalogue.placeholder_rules import Placeholder, placeholders_by_key, placeholders_of
from sms.models import Actor, MessageTemplate, Service, TemplateVersion, VersionState
from sms.models.audit import audit
from sms.values import text, text_hints


class TemplateError(ValueError):
    """It cannot be saved or published as it is; `field` is the form's."""

    def __init__(self, sentence: str, field: str = "text") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wording:
    """What a version says. Either `text` or `provider_id`."""

    text: str = ""
    provider_id: str = ""
    language: str = ""
    placeholders: Sequence[Placeholder] = ()

    def check(self) -> None:
        """Raises TemplateError."""
        if bool(self.text.strip()) == bool(self.provider_id):
            raise TemplateError("Write a text or give the provider's template id, and not both.")
        if problems := text_hints.unknown(self.text):
            raise TemplateError(" ".join(problems))
        for one in self.placeholders:
            if one.fallback and (problem := one.problem(one.fallback)):
                raise TemplateError(f"The fallback does not fit: {problem}", "placeholders")
            if one.example and (problem := one.problem(one.example)):
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
    audit("template.added", made, by=by, named=made.name)
    publish(save_draft(made, wording, by=by), by=by)
    return made


@transaction.atomic
def save_draft(template: MessageTemplate, wording: Wording, *, by: Actor) -> TemplateVersion:
    """The draft of that language, made or changed; it is not used before it is published. Raises TemplateError."""
    wording.check()
    locked = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    draft = locked.versions.filter(language=wording.language, state=VersionState.DRAFT).first()
    if draft is None:
        last = locked.versions.values_list("number", flat=True).first() or 0
        draft = TemplateVersion(template=locked, number=last + 1, language=wording.language)
    draft.text, draft.provider_template_id = wording.text, wording.provider_id
    draft.placeholders = [asdict(one) for one in wording.placeholders]
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
    """New sends use it from now on; the one before is retired. Existing sends keep their version."""
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
        wording = Wording(version.text, version.provider_template_id, "", placeholders_of(version))
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
    """Offer a language no longer, or give a draft up. The wording without a language stays while the template is used."""
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
    """Archive it or restore it; archived, it is no longer offered, and its history stays."""
    with transaction.atomic():
        template.active = active
        template.save(update_fields=["active", "changed_at"])
        audit("template.restored" if active else "template.archived", template, by=by, named=template.name)


def adopt(template: MessageTemplate, *, by: Actor) -> None:
    """After an edit in the admin: where the template differs from its published version, publish what it says now."""
    names = [name.strip() for name in template.provider_placeholders.split(",") if name.strip()]
    current = published(template)
    same = current is not None and (current.text, current.provider_template_id) == (
        template.text,
        template.provider_template_id,
    )
    if (
        same
        and current is not None
        and (template.text or [one.name for one in placeholders_of(current)] == names)
    ):
        return
    before = placeholders_by_key(current)
    names = text.placeholders(template.text) if template.text else names
    placeholders = [before.get(text.match_key(name), Placeholder(name)) for name in names]
    publish(
        save_draft(template, Wording(template.text, template.provider_template_id, "", placeholders), by=by),
        by=by,
    )


def _mirrored(wording: Wording) -> dict[str, str]:
    names = "" if wording.text else ", ".join(one.name for one in wording.placeholders)
    return {
        "text": wording.text,
        "provider_template_id": wording.provider_id,
        "provider_placeholders": names,
    }


def published(template: MessageTemplate, language: str = "") -> TemplateVersion | None:
    return template.versions.filter(language=language, state=VersionState.PUBLISHED).first()
