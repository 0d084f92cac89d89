"""Saved audiences: the list, one with its versions, uploading and replacing, finding a number, export, archive and deletion."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.audiences import NameForm, NewAudienceForm, RowsForm
from portal.forms.opt_outs import NumberForm
from sms.audiences import contents, errors, packing, saved
from sms.models import SavedAudience, Send, Service

PAGE = 50
VERSIONS = 100
SHOWN_REJECTS = 20


@service_page("see", FORM)
def audiences(request: HttpRequest, service: Service) -> HttpResponse:
    """A search for a number comes by POST, so that no number stands in an address or a log."""
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


@service_page("compose", FORM)
def audience_new(request: HttpRequest, service: Service) -> HttpResponse:
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
            )
        except errors.SavedError as problem:
            form.add_error(problem.field, str(problem))
        else:
            messages.success(request, _kept(packed))
            return redirect("audience", service=service.slug, pk=made.pk)
    return render(request, "audiences/upload.html", {"form": form}, status=422 if form.errors else 200)


@service_page("compose", FORM)
def audience_replace(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    posted = request.method == "POST"
    form = RowsForm(request.POST if posted else None, request.FILES if posted else None, service=service)
    if posted and form.is_valid() and (packed := form.pack()):
        try:
            saved.replace(found, packed, by=actor(request))
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


@service_page("see", FORM)
def audience(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One, with its versions and what used them; a POST searches all of them for a number."""
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


@service_page("compose", WRITE)
def audience_rename(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
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
