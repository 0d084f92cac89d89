"""Saved audiences: the list, one with its versions, uploading and replacing, finding a number, export, archive and deletion."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.access import actor, service_page
from portal.forms.audiences import NameForm, NewAudienceForm, RowsForm
from portal.forms.opt_outs import NumberForm
from portal.views.control import Confirmation, ask
from portal.views.download import csv_download
from sms.audiences import contents, errors, packing, saved
from sms.audiences.files import rejects_csv
from sms.models import AudienceVersion, SavedAudience, Send, Service
from sms.models.audit import audit

PAGE = 50
VERSIONS = 100
SHOWN_REJECTS = 20


@service_page("see")
@require_http_methods(["GET", "HEAD", "POST"])
def audiences(request: HttpRequest, service: Service) -> HttpResponse:
    """The list. A search for a number comes by POST, so that no number stands in an address or a log."""
    archived = request.GET.get("archived") == "1"
    search = NumberForm(request.POST if request.method == "POST" else None, service=service, prefix="search")
    found = (
        contents.find(service, search.cleaned_data["number"])
        if search.is_bound and search.is_valid()
        else None
    )
    last = Send.objects.filter(audience__audience=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = (
        service.audiences.filter(archived_at__isnull=not archived)
        .select_related("current__made_by")
        .defer("current__rejects")
        .annotate(last_send=Subquery(last))
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "archived": archived,
        "any_archived": archived or service.audiences.filter(archived_at__isnull=False).exists(),
        "sends": Send.objects.in_bulk([pk for row in page if (pk := getattr(row, "last_send", None))]),
        "search": search,
        "only": search.cleaned_data["number"] if found is not None else "",
        "found": found,
    }
    return render(request, "audiences/list.html", context, status=422 if search.errors else 200)


@service_page("compose")
@require_http_methods(["GET", "HEAD", "POST"])
def audience_new(request: HttpRequest, service: Service) -> HttpResponse:
    """Upload one."""
    posted = request.method == "POST"
    form = NewAudienceForm(
        request.POST if posted else None, request.FILES if posted else None, service=service
    )
    if posted and form.is_valid() and (packed := form.pack()):
        try:
            made = saved.create(
                service,
                packed,
                name=form.cleaned_data["name"],
                note=form.cleaned_data["note"],
                by=actor(request),
                user=request.user,
            )
        except errors.SavedError as problem:
            form.add_error(problem.field, str(problem))
        else:
            messages.success(request, _kept(packed))
            return redirect("audience", service=service.slug, pk=made.pk)
    return render(request, "audiences/upload.html", {"form": form}, status=422 if form.errors else 200)


@service_page("compose")
@require_http_methods(["GET", "HEAD", "POST"])
def audience_replace(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Upload a further version."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    posted = request.method == "POST"
    form = RowsForm(request.POST if posted else None, request.FILES if posted else None, service=service)
    if posted and form.is_valid() and (packed := form.pack()):
        try:
            saved.replace(found, packed, by=actor(request), user=request.user)
        except errors.SavedError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _kept(packed))
            return redirect("audience", service=service.slug, pk=found.pk)
    context = {"form": form, "audience": found}
    return render(request, "audiences/upload.html", context, status=422 if form.errors else 200)


def _kept(packed: packing.Packed) -> str:
    left_out = f" {packed.rejected:,} rows were left out; their reasons are below." if packed.rejected else ""
    return f"{packed.recipients:,} recipient{'' if packed.recipients == 1 else 's'} stored.{left_out}"


@service_page("see")
@require_http_methods(["GET", "HEAD", "POST"])
def audience(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One, with its versions and what used them; a POST looks for a number in all of them."""
    found = get_object_or_404(service.audiences.select_related("current"), pk=pk)
    return _page(request, service, found)


def _page(
    request: HttpRequest, service: Service, found: SavedAudience, *, naming: NameForm | None = None
) -> HttpResponse:
    is_search = request.method == "POST" and naming is None
    search = NumberForm(request.POST if is_search else None, service=service, prefix="search")
    hits = (
        contents.find(service, search.cleaned_data["number"], saved=found)
        if search.is_bound and search.is_valid()
        else None
    )
    current = found.current
    rejects = contents.rejects_of(current) if current else []
    context: dict[str, Any] = {
        "audience": found,
        "current": current,
        "versions": found.versions.select_related("made_by")
        .defer("rejects")
        .annotate(used=Count("sends"))[:VERSIONS],
        "used_in": Send.objects.filter(audience__audience=found)
        .select_related("audience")
        .order_by("-pk")[:10],
        "rejects": rejects[:SHOWN_REJECTS],
        "example": next((one for one in current.headings if one and one != current.column), "")
        if current
        else "",
        "search": search,
        "only": search.cleaned_data["number"] if hits is not None else "",
        "hits": hits,
        "naming": naming or NameForm(initial={"name": found.name, "note": found.note}),
    }
    wrong = search.errors or (naming and naming.errors)
    return render(request, "audiences/detail.html", context, status=422 if wrong else 200)


@service_page("compose")
@require_POST
def audience_rename(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Another name or note."""
    found = get_object_or_404(service.audiences.select_related("current"), pk=pk)
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            saved.rename(
                found, name=form.cleaned_data["name"], note=form.cleaned_data["note"], by=actor(request)
            )
        except errors.SavedError as problem:
            form.add_error("name", str(problem))
        else:
            messages.success(request, "Saved.")
            return redirect("audience", service=service.slug, pk=pk)
    return _page(request, service, found, naming=form)


@service_page("export")
@require_POST
def audience_export(request: HttpRequest, service: Service, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The rows of a version as CSV. Numbers leave the desk by it, so the audit tells who took them."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    version = _version(request, found)
    if version.erased_at:
        messages.error(
            request, f"The rows of version {version.number} were erased; there is nothing to export."
        )
        return redirect("audience", service=service.slug, pk=pk)
    audit(
        "audience.exported", found, by=actor(request), version=version.number, recipients=version.recipients
    )
    return csv_download(contents.export(version), name=f"audience-{found.pk}-version-{version.number}.csv")


def _version(request: HttpRequest, found: SavedAudience) -> AudienceVersion:
    """The one that is asked for, or the current one."""
    number = request.POST.get("version") or request.GET.get("version") or ""
    if number.isascii() and number.isdecimal() and len(number) < 10:
        return get_object_or_404(found.versions, number=int(number))
    return get_object_or_404(found.versions, pk=found.current_id)


@service_page("compose")
@require_safe
def audience_rejects(request: HttpRequest, service: Service, pk: int) -> StreamingHttpResponse:
    """Rows that an upload left out, each with its reason."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    version = _version(request, found)
    audit(
        "audience.rejects_exported", found, by=actor(request), version=version.number, rows=version.rejected
    )
    name = f"rejects-audience-{pk}-version-{version.number}.csv"
    return csv_download(rejects_csv(contents.rejects_of(version)), name=name)


@service_page("compose")
@require_POST
def audience_archive(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Out of the choices of compose, or back among them."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    try:
        if found.archived_at:
            saved.bring_back(found, by=actor(request))
            messages.success(request, f"“{found.name}” can be chosen again.")
        else:
            saved.archive(found, by=actor(request))
            messages.success(
                request, f"“{found.name}” is archived. Its history stays, and it can be brought back."
            )
    except errors.SavedError as problem:
        messages.error(request, str(problem))
    return redirect("audience", service=service.slug, pk=pk)


@service_page("compose")
@require_POST
def audience_seed_list(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Make it a seed list, or an audience like any other again."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    try:
        saved.mark(found, seed_list=not found.seed_list, by=actor(request))
    except errors.SavedError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request,
            "An audience like any other again."
            if found.seed_list
            else "It is a seed list now: tests of drafts can go to its people.",
        )
    return redirect("audience", service=service.slug, pk=found.pk)


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def audience_delete(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """For good, where no send used it."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    if request.method == "POST":
        try:
            saved.delete(found, by=actor(request))
        except errors.SavedError as problem:
            messages.error(request, str(problem))
            return redirect("audience", service=service.slug, pk=pk)
        messages.success(request, f"“{found.name}” is deleted.")
        return redirect("audiences", service=service.slug)
    asked = Confirmation(
        title=f"Delete “{found.name}”?",
        says=(
            "All its versions go, with their numbers, for good.",
            "An audience that a send used stays; archive that one.",
        ),
        button="Delete it",
        back=reverse("audience", args=[service.slug, pk]),
        crumb=found.name,
        danger=True,
    )
    return ask(request, asked)


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def audience_erase(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """The people of one version, for good; how many they were stays."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    version = _version(request, found)
    if request.method == "POST":
        try:
            if saved.erase(version, by=actor(request)):
                messages.success(request, f"The rows of version {version.number} are erased.")
            else:
                messages.info(request, f"The rows of version {version.number} were erased already.")
        except errors.SavedError as problem:
            messages.error(request, str(problem))
        return redirect("audience", service=service.slug, pk=pk)
    asked = Confirmation(
        title=f"Erase the rows of version {version.number}?",
        says=(
            f"{version.recipients:,} numbers and what stands beside them are deleted for good.",
            "The history keeps the file's name, the figures and the sends that used it.",
        ),
        button="Erase the rows",
        back=reverse("audience", args=[service.slug, pk]),
        crumb=found.name,
        danger=True,
    )
    return ask(request, asked)
