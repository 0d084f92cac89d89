"""Templates: the list, one with its versions and what changed, writing a draft, and publishing it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.templates import WordingForm, posted_rows
from portal.forms.texts import text_of
from portal.limits import PAGE
from portal.views.button_base import Said, button
from portal.views.confirm_base import Confirmation, asking
from portal.views.form_base import form_page, refused_beside, typed
from sms.catalogue import content_gate, placeholder_rules, template_users, templates
from sms.catalogue.content_gate.finding import ContentFinding
from sms.models import Actor, AudienceVersion, MessageTemplate, Service, TemplateVersion, VersionState
from sms.values import diff
from sms.words import number


@service_page("see")
def template_list(request: HttpRequest, service: Service) -> HttpResponse:
    archived = request.GET.get("archived") == "1"
    things = service.templates.annotate(
        languages=Count("versions", filter=Q(versions__state=VersionState.PUBLISHED)),
        waiting=Count("versions", filter=Q(versions__state=VersionState.DRAFT)),
    ).order_by("name")
    context = {
        "page": Paginator(things.filter(active=not archived), PAGE).get_page(request.GET.get("page")),
        "archived": archived,
        "any_archived": archived or service.templates.filter(active=False).exists(),
    }
    return render(request, "catalogue/templates.html", context)


@service_page("configure", FORM)
def template_new(request: HttpRequest, service: Service) -> HttpResponse:
    if "look" in request.POST:
        return _wording_page(request, service, WordingForm(typed=request.POST))
    form = WordingForm(**typed(request))
    if form.is_valid():
        with refused_beside(form, templates.TemplateError):
            made = templates.create(service, form.cleaned_data["name"], form.wording(), by=actor(request))
            messages.success(request, _("%(template)s can be used now.") % {"template": made})
            return redirect("template", service=service.slug, pk=made.pk)
    return _wording_page(request, service, form)


@service_page("configure", FORM, of=MessageTemplate.objects.select_related("service"))
def template_edit(request: HttpRequest, service: Service, found: MessageTemplate) -> HttpResponse:
    """Write or change a draft; it is not used before it is published."""
    language = text_of(request.GET, "language", most=20)
    versions = found.versions.filter(state__in=(VersionState.DRAFT, VersionState.PUBLISHED))
    # the draft of that language before its published version, and that before the wording without a language
    start = min(
        versions.filter(language__in=("", language)),
        key=lambda one: (one.language != language, one.state != VersionState.DRAFT),
        default=None,
    )
    if "look" in request.POST:
        return _wording_page(request, service, WordingForm(typed=request.POST, named=False), found)
    form = WordingForm(**typed(request), version=start, named=False)
    if form.is_valid():
        with refused_beside(form, templates.TemplateError):
            draft = templates.save_draft(found, form.wording(), by=actor(request))
            return redirect("template_version", service=service.slug, pk=draft.pk)
    return _wording_page(request, service, form, found)


def _wording_page(
    request: HttpRequest, service: Service, form: WordingForm, found: MessageTemplate | None = None
) -> HttpResponse:
    """The form beside the phone."""
    headings = AudienceVersion.objects.filter(audience__service=service, audience__current=F("pk"))
    columns = {
        one for row in headings.order_by("-pk").values_list("headings", flat=True)[:5] for one in row if one
    }
    context = {
        "form": form,
        "template": found,
        "columns": sorted(columns, key=str.casefold)[:20],
        **_look(service, form),
    }
    return form_page(request, "catalogue/wording.html", context)


@service_page("configure", WRITE)
def template_preview(request: HttpRequest, service: Service) -> HttpResponse:
    """The phone for what is typed, and the rows of placeholders where the text names others than they do."""
    form = WordingForm(typed=request.POST)
    before = [one["name"] for one in posted_rows(request.POST)]
    changed = [row["name"].value() for row in form.rows] != before
    context = {"form": form, "changed": changed, **_look(service, form)}
    return render(request, "catalogue/_wording_live.html", context)


def _look(service: Service, form: WordingForm) -> dict[str, Any]:
    sender = service.senders.filter(active=True, is_default=True).first()
    return {
        "sender": sender,
        "example": placeholder_rules.example(form.written, form.shown),
        "worst": placeholder_rules.worst_case(form.written, form.shown),
        "findings": content_gate.of_template(form.written, sender=sender) if form.written else [],
    }


@service_page("see", of=MessageTemplate)
def template(request: HttpRequest, _service: Service, found: MessageTemplate) -> HttpResponse:
    context = {
        "template": found,
        "versions": found.versions.annotate(used=Count("sends"))[:50],
        "users": template_users.users_of(found),
        "sends": found.sends.order_by("-pk")[:10],
        "findings": _findings(found, found.text),
    }
    return render(request, "catalogue/template.html", context)


VERSIONS = TemplateVersion.objects.select_related("template__service")


@service_page("see", of=VERSIONS, through="template__service")
def template_version(request: HttpRequest, _service: Service, found: TemplateVersion) -> HttpResponse:
    return render(request, "catalogue/version.html", _context_of(found))


def _context_of(found: TemplateVersion) -> dict[str, Any]:
    is_draft = found.state == VersionState.DRAFT
    others = found.template.versions.filter(language=found.language, number__lt=found.number)
    before = others.exclude(published_at=None)
    old = templates.published(found.template, found.language) if is_draft else before.first()
    return {
        "version": found,
        "template": found.template,
        "old": old,
        "pieces": diff.changes(old.text, found.text) if old and old.text and found.text else [],
        "placeholders": placeholder_rules.placeholders_of(found),
        "worst": placeholder_rules.worst_case(found.text, placeholder_rules.placeholders_of(found)),
        "example": placeholder_rules.example(found.text, placeholder_rules.placeholders_of(found)),
        "findings": _findings(found.template, found.text),
        "change": template_users.placeholder_difference(old, found) if is_draft else None,
        "users": template_users.users_of(found.template, found.language),
    }


def _findings(found: MessageTemplate, written: str) -> list[ContentFinding]:
    """As if it came from the service's default sender; a send says it of its own."""
    sender = found.service.senders.filter(active=True, is_default=True).first()
    return content_gate.of_template(written, sender=sender) if written else []


@service_page("configure", WRITE, of=VERSIONS, through="template__service")
def template_publish(request: HttpRequest, service: Service, found: TemplateVersion) -> HttpResponse:
    """From now on new sends use it. A change of placeholders is named on the version's page, and has to be ticked."""
    context = _context_of(found)
    if context["change"] and context["users"].drafts_count and request.POST.get("seen") != "1":
        return render(request, "catalogue/version.html", context | {"unseen": True}, status=422)
    try:
        templates.publish(found, by=actor(request))
    except templates.TemplateError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request, _("Published. New sends use %(template)s from now on.") % {"template": found}
        )
    return redirect("template", service=service.slug, pk=found.template_id)


def _ask_retire(version: TemplateVersion) -> Confirmation:
    begun = version.state == VersionState.DRAFT
    drafts = template_users.users_of(version.template, version.language).drafts_count
    title = _("Discard %(version)s?") if begun else _("Retire %(version)s?")
    says = (
        _("It was never published, so no send used it.")
        if begun
        else _("New sends cannot use it. Sends that were made keep their text.")
    )
    users = ngettext("%(n)s draft uses this template.", "%(n)s drafts use this template.", drafts)
    return Confirmation(
        title % {"version": version},
        says,
        users % {"n": number(drafts)} if drafts else _("No draft uses this template."),
        _("This cannot be undone."),
        button=_("Discard this version") if begun else _("Retire this language"),
    )


@asking(
    "configure",
    TemplateVersion,
    asks=_ask_retire,
    through="template__service",
    back="template",
    at="template_id",
    crumb=gettext_lazy("Template"),
    refusals=(templates.TemplateError,),
)
def template_retire(version: TemplateVersion, by: Actor) -> Said:
    templates.retire(version, by=by)
    return Said(_("Retired: %(version)s.") % {"version": version})


@button("configure", MessageTemplate, back="template")
def template_archive(template: MessageTemplate, by: Actor) -> Said:
    templates.set_active(template, not template.active, by=by)
    says = _("%(template)s can be used again.") if template.active else _("%(template)s is archived.")
    return Said(says % {"template": template})
