"""Templates: the list, one with its versions and what changed, writing a draft, and publishing it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.templates import WordingForm
from sms.catalogue import placeholder_rules, template_users, templates
from sms.models import MessageTemplate, Service, TemplateVersion, VersionState
from sms.values import diff, text_hints

PAGE = 50
VERSIONS = 50


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
    form = WordingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = templates.create(service, form.cleaned_data["name"], form.wording(), by=actor(request))
        except templates.TemplateError as problem:
            _show(form, problem)
        else:
            messages.success(request, f"{made} can be used now.")
            return redirect("template", service=service.slug, pk=made.pk)
    return render(request, "catalogue/wording.html", {"form": form}, status=422 if form.errors else 200)


def _show(form: WordingForm, problem: templates.TemplateError) -> None:
    form.add_error(problem.field if problem.field in form.fields else None, str(problem))


@service_page("configure", FORM)
def template_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Write or change a draft; it is not used before it is published."""
    found = get_object_or_404(service.templates.select_related("service"), pk=pk)
    language = request.GET.get("language", "")
    versions = found.versions.filter(state__in=(VersionState.DRAFT, VersionState.PUBLISHED))
    # the draft of that language before its published version, and that before the wording without a language
    start = min(
        versions.filter(language__in=("", language)),
        key=lambda one: (one.language != language, one.state != VersionState.DRAFT),
        default=None,
    )
    form = WordingForm(request.POST if request.method == "POST" else None, version=start, named=False)
    if request.method == "POST" and form.is_valid():
        try:
            draft = templates.save_draft(found, form.wording(), by=actor(request))
        except templates.TemplateError as problem:
            _show(form, problem)
        else:
            return redirect("template_version", service=service.slug, pk=draft.pk)
    context = {"form": form, "template": found}
    return render(request, "catalogue/wording.html", context, status=422 if form.errors else 200)


@service_page("see")
def template(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(service.templates, pk=pk)
    context = {
        "template": found,
        "versions": found.versions.annotate(used=Count("sends"))[:VERSIONS],
        "users": template_users.users_of(found),
        "sends": found.sends.order_by("-pk")[:10],
        "findings": text_hints.lint(found.text) if found.text else [],
    }
    return render(request, "catalogue/template.html", context)


@service_page("see")
def template_version(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = _version(service, pk)
    return render(request, "catalogue/version.html", _context_of(found))


def _version(service: Service, pk: int) -> TemplateVersion:
    versions = TemplateVersion.objects.select_related("template__service")
    return get_object_or_404(versions, template__service=service, pk=pk)


def _context_of(found: TemplateVersion) -> dict[str, Any]:
    others = found.template.versions.filter(language=found.language, number__lt=found.number)
    old = (
        templates.published(found.template, found.language)
        if found.state == VersionState.DRAFT
        else others.exclude(published_at=None).first()
    )
    return {
        "version": found,
        "template": found.template,
        "old": old,
        "pieces": diff.changes(old.text, found.text) if old and old.text and found.text else [],
        "placeholders": placeholder_rules.placeholders_of(found),
        "worst": placeholder_rules.worst_case(found),
        "example": placeholder_rules.example(found),
        "findings": text_hints.lint(found.text) if found.text else [],
        "change": template_users.placeholder_difference(old, found)
        if found.state == VersionState.DRAFT
        else None,
        "users": template_users.users_of(found.template, found.language),
    }


@service_page("configure", WRITE)
def template_publish(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """From now on new sends use it. A change of placeholders is named on the version's page, and has to be ticked."""
    found = _version(service, pk)
    context = _context_of(found)
    if context["change"] and context["users"].drafts_count and request.POST.get("seen") != "1":
        return render(request, "catalogue/version.html", context | {"unseen": True}, status=422)
    try:
        templates.publish(found, by=actor(request))
    except templates.TemplateError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"Published. New sends use {found} from now on.")
    return redirect("template", service=service.slug, pk=found.template_id)


@service_page("configure", WRITE)
def template_retire(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = _version(service, pk)
    try:
        templates.retire(found, by=actor(request))
    except templates.TemplateError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"Retired: {found}.")
    return redirect("template", service=service.slug, pk=found.template_id)


@service_page("configure", WRITE)
def template_archive(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found: MessageTemplate = get_object_or_404(service.templates.select_related("service"), pk=pk)
    templates.set_active(found, not found.active, by=actor(request))
    messages.success(request, f"{found} {'can be used again' if found.active else 'is archived'}.")
    return redirect("template", service=service.slug, pk=found.pk)
