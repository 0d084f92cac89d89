"""Templates: making, publishing, retiring and archiving them and their versions.

A published version never changes: the next one is another row.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from sms.catalogue import content_gate
from sms.catalogue.placeholder_rules import Placeholder, placeholders_by_key, placeholders_of
from sms.models import Actor, MessageTemplate, Service, TemplateVersion, VersionState
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values import text
from sms.values.problems import ProblemCode, ProblemError
from sms.words import retold


class TemplateError(ProblemError):
    """It cannot be saved or published as it is; `field` is the form's."""


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
            says = _("Write a text or give the provider's template id, and not both.")
            code = ProblemCode.ONLY_ONE if self.text.strip() else ProblemCode.REQUIRED
            raise TemplateError(code, says, field="text")
        if problems := content_gate.refusals(content_gate.of_template(self.text)):
            raise TemplateError(ProblemCode.FOREIGN_PLACEHOLDER, " ".join(problems), field="text")
        for one in self.placeholders:
            if one.fallback and (problem := one.problem(one.fallback)):
                raise _misfit(_("The fallback does not fit: %(problem)s") % {"problem": retold(problem)})
            if one.example and (problem := one.problem(one.example)):
                raise _misfit(_("The example does not fit: %(problem)s") % {"problem": retold(problem)})


def _misfit(says: str) -> TemplateError:
    return TemplateError(ProblemCode.VALUE_DOES_NOT_FIT, says, field="placeholders")


@transaction.atomic
def create(service: Service, name: str, wording: Wording, *, by: Actor) -> MessageTemplate:
    """A new template, whose first version is published at once, so that it can be used; raises TemplateError."""
    wording.check()
    if wording.language:
        says = _("The first wording is the one without a language. Add languages afterwards.")
        raise TemplateError(ProblemCode.INVALID, says, field="language")
    if MessageTemplate.objects.filter(service=service, name=name).exists():
        says = _("There is a template “%(name)s” already. Choose another name, or change that one.")
        raise TemplateError(ProblemCode.TAKEN, says % {"name": name}, field="name")
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
    draft.text, draft.provider_template_id = text.line_breaks(wording.text), wording.provider_id
    draft.placeholders = [asdict(one) for one in wording.placeholders]
    draft.made_by = by.label
    draft.save()
    _audit("template.draft_saved", locked, draft, by=by)
    return draft


@transaction.atomic
def publish(version: TemplateVersion, *, by: Actor) -> None:
    """New sends use it from now on; the one before is retired. Existing sends keep their version."""
    now = corrected_now()
    template = MessageTemplate.objects.select_for_update().get(pk=version.template_id)
    version.refresh_from_db()
    if version.state != VersionState.DRAFT:
        says = _("Only a draft can be published, and this one is none any more.")
        raise TemplateError(ProblemCode.CHANGED, says)
    before = template.versions.filter(language=version.language, state=VersionState.PUBLISHED)
    before.update(state=VersionState.RETIRED, retired_at=now)
    version.state, version.published_at, version.published_by = VersionState.PUBLISHED, now, by.label
    version.save(update_fields=["state", "published_at", "published_by"])
    if not version.language:
        wording = Wording(version.text, version.provider_template_id, "", placeholders_of(version))
        for name, value in _mirrored(wording).items():
            setattr(template, name, value)
        template.save()
    _audit("template.published", template, version, by=by)


@transaction.atomic
def retire(version: TemplateVersion, *, by: Actor) -> None:
    """Offer a language no longer, or give a draft up. The wording without a language stays while the template is used."""
    if version.state == VersionState.PUBLISHED and not version.language:
        says = _("This wording is the one that sends use. Publish another one, or archive the template.")
        raise TemplateError(ProblemCode.IN_USE, says)
    version.state, version.retired_at = VersionState.RETIRED, corrected_now()
    version.save(update_fields=["state", "retired_at"])
    _audit("template.version_retired", version.template, version, by=by)


def _audit(act: str, template: MessageTemplate, version: TemplateVersion, *, by: Actor) -> None:
    audit(act, template, by=by, named=template.name, version=version.number, language=version.language)


def set_active(template: MessageTemplate, active: bool, *, by: Actor) -> None:
    """Archive it or restore it; archived, it is no longer offered, and its history stays."""
    with transaction.atomic():
        template.active = active
        template.save(update_fields=["active", "changed_at"])
        audit("template.restored" if active else "template.archived", template, by=by, named=template.name)


def adopt(template: MessageTemplate, *, by: Actor) -> None:
    """After an edit in the admin: where the template differs from its published version, publish what it says now."""
    names = [name.strip() for name in template.provider_placeholders.split(",") if name.strip()]
    current, says = published(template), (template.text, template.provider_template_id)
    before = placeholders_by_key(current)
    same = current is not None and (current.text, current.provider_template_id) == says
    if same and (template.text or [one.name for one in before.values()] == names):
        return
    names = text.placeholders(template.text) if template.text else names
    placeholders = [before.get(text.match_key(name), Placeholder(name)) for name in names]
    publish(save_draft(template, Wording(*says, placeholders=placeholders), by=by), by=by)


def _mirrored(wording: Wording) -> dict[str, str]:
    names = "" if wording.text else ", ".join(one.name for one in wording.placeholders)
    return {"text": wording.text, "provider_template_id": wording.provider_id, "provider_placeholders": names}


def published(template: MessageTemplate, language: str = "") -> TemplateVersion | None:
    return template.versions.filter(language=language, state=VersionState.PUBLISHED).first()
