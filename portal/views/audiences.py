"""Saved audiences: the list, one with its versions, uploading and replacing, finding a number, export, archive and deletion."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from msgspec import structs

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.audiences import NameForm, NewAudienceForm, RowsForm
from portal.forms.msisdn import NumberForm
from portal.forms.numbers import row_of
from portal.limits import PAGE
from portal.presenters.downloads import csv_download
from portal.presenters.file_findings import lines_of
from portal.views.button_base import Said, button, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, refused_beside, typed
from sms.audiences import contents, errors, packing, saved, storage
from sms.audiences.files import grouped, rejects_csv, without_number
from sms.audiences.files.findings import findings_of
from sms.models import Actor, ApprovalRules, AudienceVersion, SavedAudience, Send, Service
from sms.models.audit import audit

CURRENT = SavedAudience.objects.select_related("current")


@service_page("see", FORM)
def audiences(request: HttpRequest, service: Service) -> HttpResponse:
    """A search for a number comes by POST, so that no number stands in an address or a log."""
    archived = request.GET.get("archived") == "1"
    search = NumberForm(**typed(request), service=service, prefix="search")
    number = search.cleaned_data["number"] if search.is_valid() else ""
    last = Send.objects.filter(audience__audience=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = service.audiences.filter(archived_at__isnull=not archived).select_related("current__made_by")
    listed = rows.defer("current__rejects").annotate(last_send=Subquery(last))
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "matching": page.paginator.count,
        "address": "archived=1" if archived else "",
        "archived": archived,
        "any_archived": archived or service.audiences.filter(archived_at__isnull=False).exists(),
        "sends": Send.objects.in_bulk([pk for row in page if (pk := getattr(row, "last_send", None))]),
        "search": search,
        "only": number,
        "found": contents.find(service, number) if number else None,
    }
    return form_page(request, "audiences/list.html", context)


@service_page("compose", FORM)
def audience_new(request: HttpRequest, service: Service) -> HttpResponse:
    form = NewAudienceForm(**typed(request), service=service, initial={"country": service.default_country})
    if form.is_valid() and (packed := form.pack()):
        name, note = form.cleaned_data["name"], form.cleaned_data["note"]
        with refused_beside(form, errors.SavedError):
            made = saved.create(service, packed, name=name, note=note, by=actor(request))
            form.forget_kept()
            messages.success(request, _kept(packed))
            return redirect("audience", service=service.slug, pk=made.pk)
    return _upload_page(request, form)


@service_page("compose", FORM, of=SavedAudience)
def audience_replace(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponse:
    form = RowsForm(**typed(request), service=service, initial={"country": service.default_country})
    if form.is_valid() and (packed := form.pack()):
        with refused_beside(form, errors.SavedError):
            saved.replace(found, packed, by=actor(request))
            form.forget_kept()
            messages.success(request, _kept(packed))
            return redirect("audience", service=service.slug, pk=found.pk)
    return _upload_page(request, form, audience=found)


def _upload_page(request: HttpRequest, form: RowsForm, **context: Any) -> HttpResponse:
    found = {"form": form, "lines": lines_of(form.found), **context}
    return form_page(request, "audiences/upload.html", found)


def _kept(packed: packing.Packed) -> str:
    rows = f"{packed.rejected:,} row{' was' if packed.rejected == 1 else 's were'}"
    left_out = f" {rows} left out; the reasons are below." if packed.rejected else ""
    return f"{packed.recipients:,} recipient{'' if packed.recipients == 1 else 's'} stored.{left_out}"


@service_page("see", FORM, of=CURRENT)
def audience(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponse:
    """One, with its versions and what used them; a POST searches all of them for a number."""
    return _page(request, service, found)


def _page(
    request: HttpRequest, service: Service, found: SavedAudience, *, naming: NameForm | None = None
) -> HttpResponse:
    search = NumberForm(**({} if naming else typed(request)), service=service, prefix="search")
    number = search.cleaned_data["number"] if search.is_valid() else ""
    current = found.current
    rejects = storage.rejects_of(current) if current else []
    used_in = Send.objects.filter(audience__audience=found).select_related("audience").order_by("-pk")
    context: dict[str, Any] = {
        "audience": found,
        "current": current,
        "unconfirmed": found.seed_list
        and found.confirmed_id != found.current_id
        and bool(ApprovalRules.of(service).most),
        "versions": found.versions.select_related("made_by")
        .defer("rejects")
        .annotate(used=Count("sends"))[:100],
        "used_in": used_in[:10],
        "lines": lines_of(findings_of(current.findings)) if current else [],
        "rejects": rejects[:20],
        "rejected_groups": grouped(rejects),
        "of_first": len(rejects) if current and len(rejects) < current.rejected else 0,
        "recurring": saved.recurring_sends_to(found)[:5],
        "example": next((one for one in current.headings if one and one != current.column), "")
        if current
        else "",
        "search": search,
        "only": number,
        "hits": contents.find(service, number, saved=found) if number else None,
        "naming": naming or NameForm(initial={"name": found.name, "note": found.note}),
    }
    return form_page(request, "audiences/detail.html", context)


@service_page("compose", WRITE, of=CURRENT)
def audience_rename(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponse:
    form = NameForm(request.POST)
    if form.is_valid():
        with refused_beside(form, errors.SavedError, field="name"):
            saved.rename(found, **form.cleaned_data, by=actor(request))
            messages.success(request, "Saved.")
            return redirect("audience", service=service.slug, pk=found.pk)
    return _page(request, service, found, naming=form)


def _version_of(audience: SavedAudience, request: HttpRequest) -> AudienceVersion:
    """The one that the address or a field names, else the present one."""
    for given in (request.POST, request.GET):
        if (number := row_of(given, "version")) is not None:
            return get_object_or_404(audience.versions, number=number)
    return get_object_or_404(audience.versions, pk=audience.current_id)


@button("compose", SavedAudience, back="audience", refusals=errors.SavedError)
def audience_archive(audience: SavedAudience, by: Actor) -> Said:
    if audience.archived_at:
        saved.bring_back(audience, by=by)
        return Said(f"“{audience.name}” can be chosen again.")
    if saved.recurring_sends_to(audience).exists():
        says = "Recurring sends go to it, so nothing is archived yet. Choose “Archive it” here to see which."
        return Said(says, messages.WARNING)
    saved.archive(audience, by=by)
    return Said(f"“{audience.name}” is archived. Its history stays, and it can be brought back.")


@button("compose", SavedAudience, back="audience", refusals=errors.SavedError)
def audience_seed_list(audience: SavedAudience, by: Actor) -> Said:
    saved.mark(audience, seed_list=not audience.seed_list, by=by)
    if audience.seed_list:
        return Said("An audience like any other again.")
    if not ApprovalRules.of(audience.service).most:
        return Said("It is a seed list now: tests of drafts can go to its people.")
    return info(
        "It is a seed list now. An approver who did not make it confirms it here; then tests can go to its people."
    )


@button("approve", SavedAudience, back="audience", refusals=errors.SavedError)
def audience_seed_list_confirm(audience: SavedAudience, by: Actor) -> Said:
    if saved.confirm_seed_list(audience, by=by):
        return Said("Confirmed: tests of drafts can go to its people, until its rows are replaced.")
    return info("It was confirmed already.")


@service_page("export", WRITE, of=SavedAudience)
def audience_export(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponseBase:
    """The rows of a version as CSV. It holds whole numbers, so the audit records who took it."""
    version = _version_of(found, request)
    number = version.number
    if version.erased_at:
        messages.error(request, f"The rows of version {number} were erased; there is nothing to export.")
        return redirect("audience", service=service.slug, pk=found.pk)
    audit("audience.exported", found, by=actor(request), version=number, recipients=version.recipients)
    return csv_download(
        contents.export(version), name=f"audience-{found.pk}-version-{number}{service.file_mark}.csv"
    )


@service_page("compose", of=SavedAudience)
def audience_rejects(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponseBase:
    version = _version_of(found, request)
    number = version.number
    audit("audience.rejects_exported", found, by=actor(request), version=number, rows=version.rejected)
    rows = storage.rejects_of(version)
    if "export" not in request.may:  # type: ignore[attr-defined]
        rows = [structs.replace(one, value=without_number(one.value)) for one in rows]
    lines = rejects_csv(rows)
    return csv_download(lines, name=f"rejects-audience-{found.pk}-version-{number}{service.file_mark}.csv")


class ArchiveInUse(ConfirmView):
    """One to which recurring sends go: what becomes of them is said first."""

    act = "compose"
    model = SavedAudience
    back, back_to_thing = "audience", True

    def over(self) -> Said | None:
        return info("It is archived already.") if self.thing.archived_at else None

    def confirmation(self) -> Confirmation:
        names = [f"“{one.name}”" for one in saved.recurring_sends_to(self.thing)[:5]]
        count = saved.recurring_sends_to(self.thing).count()
        return Confirmation(
            f"Archive “{self.thing.name}”?",
            f"{count:,} recurring send{' goes' if count == 1 else 's go'} to it: {', '.join(names) or 'none'}.",
            "Their next occurrences cannot be made while it is archived. They stay, and you are told of each."
            if count
            else "Its history stays, and it can be brought back.",
            button="Archive it",
        )

    def confirmed(self, form: Any) -> Said:
        saved.archive(self.thing, by=self.by)
        return Said(f"“{self.thing.name}” is archived. Its history stays, and it can be brought back.")


class DeleteAudience(ConfirmView):
    act = "configure"
    model = SavedAudience
    back, back_to_thing = "audience", True
    refusals = (errors.SavedError,)

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Delete “{self.thing.name}”?",
            "All its versions go, with their numbers, for good.",
            "An audience that a send used stays; archive that one.",
            button="Delete it",
        )

    def confirmed(self, form: Any) -> Said:
        saved.delete(self.thing, by=self.by)
        return Said(f"“{self.thing.name}” is deleted.", to="audiences")


class EraseAudienceVersion(ConfirmView):
    """The people of one version, for good; how many they were stays."""

    act = "configure"
    model = SavedAudience
    back, back_to_thing = "audience", True
    refusals = (errors.SavedError,)

    @cached_property
    def version(self) -> AudienceVersion:
        return _version_of(self.thing, self.request)

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Erase the rows of version {self.version.number}?",
            f"{self.version.recipients:,} numbers and what stands beside them are deleted for good.",
            "The history keeps the file's name, the figures and the sends that used it.",
            button="Erase the rows",
        )

    def confirmed(self, form: Any) -> Said:
        rows = f"The rows of version {self.version.number}"
        erased = saved.erase(self.version, by=self.by)
        return Said(f"{rows} are erased.") if erased else info(f"{rows} were erased already.")
