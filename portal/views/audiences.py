"""Saved audiences: the list, one with its versions, uploading and replacing, finding a number, export, archive and deletion."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
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
from sms.words import number as shown

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
    stored, left_out = packed.recipients, packed.rejected
    says = ngettext("%(n)s recipient stored.", "%(n)s recipients stored.", stored) % {"n": shown(stored)}
    if not left_out:
        return says
    also = ngettext(
        "%(n)s row was left out; the reasons are below.",
        "%(n)s rows were left out; the reasons are below.",
        left_out,
    )
    return " ".join((says, also % {"n": shown(left_out)}))


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
            messages.success(request, _("Saved."))
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
        return Said(_("“%(name)s” can be chosen again.") % {"name": audience.name})
    if saved.recurring_sends_to(audience).exists():
        says = _(
            "Recurring sends go to it, so nothing is archived yet. Choose “Archive it” here to see which."
        )
        return Said(says, messages.WARNING)
    saved.archive(audience, by=by)
    return _archived(audience)


def _archived(audience: SavedAudience) -> Said:
    said = _("“%(name)s” is archived. Its history stays, and it can be brought back.")
    return Said(said % {"name": audience.name})


@button("compose", SavedAudience, back="audience", refusals=errors.SavedError)
def audience_seed_list(audience: SavedAudience, by: Actor) -> Said:
    saved.mark(audience, seed_list=not audience.seed_list, by=by)
    if audience.seed_list:
        return Said(_("An audience like any other again."))
    if not ApprovalRules.of(audience.service).most:
        return Said(_("It is a seed list now: tests of drafts can go to its people."))
    return info(
        _(
            "It is a seed list now. An approver who did not make it confirms it here; then tests can go to its people."
        )
    )


@button("approve", SavedAudience, back="audience", refusals=errors.SavedError)
def audience_seed_list_confirm(audience: SavedAudience, by: Actor) -> Said:
    if saved.confirm_seed_list(audience, by=by):
        return Said(_("Confirmed: tests of drafts can go to its people, until its rows are replaced."))
    return info(_("It was confirmed already."))


@service_page("export", WRITE, of=SavedAudience)
def audience_export(request: HttpRequest, service: Service, found: SavedAudience) -> HttpResponseBase:
    """The rows of a version as CSV. It holds whole numbers, so the audit records who took it."""
    version = _version_of(found, request)
    number = version.number
    if version.erased_at:
        says = _("The rows of version %(number)s were erased; there is nothing to export.")
        messages.error(request, says % {"number": number})
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
        return info(_("It is archived already.")) if self.thing.archived_at else None

    def confirmation(self) -> Confirmation:
        names = [_("“%(name)s”") % {"name": one.name} for one in saved.recurring_sends_to(self.thing)[:5]]
        count = saved.recurring_sends_to(self.thing).count()
        title, button = _("Archive “%(name)s”?") % {"name": self.thing.name}, _("Archive it")
        if not count:
            none = _("0 recurring sends go to it: none.")
            return Confirmation(
                title, none, _("Its history stays, and it can be brought back."), button=button
            )
        says = ngettext(
            "%(n)s recurring send goes to it: %(names)s.",
            "%(n)s recurring sends go to it: %(names)s.",
            count,
        )
        return Confirmation(
            title,
            says % {"n": shown(count), "names": ", ".join(names)},
            _(
                "Their next occurrences cannot be made while it is archived. They stay, and you are told of each."
            ),
            button=button,
        )

    def confirmed(self, form: Any) -> Said:
        saved.archive(self.thing, by=self.by)
        return _archived(self.thing)


class DeleteAudience(ConfirmView):
    act = "configure"
    model = SavedAudience
    back, back_to_thing = "audience", True
    refusals = (errors.SavedError,)

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Delete “%(name)s”?") % {"name": self.thing.name},
            _("All its versions go, with their numbers, for good."),
            _("An audience that a send used stays; archive that one."),
            button=_("Delete it"),
        )

    def confirmed(self, form: Any) -> Said:
        saved.delete(self.thing, by=self.by)
        return Said(_("“%(name)s” is deleted.") % {"name": self.thing.name}, to="audiences")


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
        many = self.version.recipients
        erased = ngettext(
            "%(n)s number and what stands beside it are deleted for good.",
            "%(n)s numbers and what stands beside them are deleted for good.",
            many,
        )
        return Confirmation(
            _("Erase the rows of version %(number)s?") % {"number": self.version.number},
            erased % {"n": shown(many)},
            _("The history keeps the file's name, the figures and the sends that used it."),
            button=_("Erase the rows"),
        )

    def confirmed(self, form: Any) -> Said:
        version = {"number": self.version.number}
        if saved.erase(self.version, by=self.by):
            return Said(_("The rows of version %(number)s are erased.") % version)
        return info(_("The rows of version %(number)s were erased already.") % version)
