"""Opt-outs: the list, adding one or a file of them, lifting one, and incoming messages."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.forms.opt_outs import AddForm, FileForm, LiftForm, NumberForm
from portal.limits import upload_limits
from portal.presenters.downloads import csv_download
from portal.presenters.keyset import keyset_page
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.audiences.files import AudienceError, RejectedRow, read
from sms.inbound import optouts
from sms.inbound.optouts.export import csv_of
from sms.models import InboundMessage, OptOut, Service
from sms.models.audit import audit
from sms.values.msisdn import mask

PAGE = 50
ANSWERS = 20
SHOWN_REJECTS = 500
STATES = {"in_force": "In force", "lifted": "Lifted"}
COUNTED = 10_000  # beyond that the page says "more than"


@service_page("see", FORM)
def opt_outs(request: HttpRequest, service: Service) -> HttpResponse:
    """A search comes by POST, so that no number stands in an address or a log."""
    if request.method != "POST":
        return _page(request, service)
    search = NumberForm(request.POST, service=service, prefix="search")
    if not search.is_valid():
        return _page(request, service, search=search, status=422)
    return _page(request, service, search=search, only=search.cleaned_data["number"])


@service_page("opt_out", WRITE)
def opt_out_add(request: HttpRequest, service: Service) -> HttpResponse:
    form = AddForm(request.POST, service=service)
    if not form.is_valid():
        return _page(request, service, add=form, status=422)
    number = form.cleaned_data["number"]
    refusal = optouts.Refusal(number, form.cleaned_data["evidence"])
    if optouts.opt_out(service.pk, [refusal], by=actor(request), source=OptOut.Source.PAGE):
        messages.success(request, f"{mask(number)} is opted out from now on.")
    else:
        messages.info(request, f"{mask(number)} was opted out already.")
    return redirect("opt_outs", service=service.slug)


@dataclass(frozen=True, slots=True)
class Uploaded:
    name: str
    added: int
    already: int
    rejects: list[RejectedRow]


@service_page("opt_out", WRITE)
def opt_out_upload(request: HttpRequest, service: Service) -> HttpResponse:
    """A file of numbers. What could not be read is shown with its row and reason; the rest counts."""
    form = FileForm(request.POST, request.FILES, prefix="upload")
    if not form.is_valid():
        return _page(request, service, upload=form, status=422)
    file, name = form.cleaned_data["file"], str(form.cleaned_data["file"].name)
    try:
        audience = read(
            file, name=name, country=service.default_country, limits=upload_limits(), allow_duplicates=True
        )
    except AudienceError as problem:
        form.add_error("file", str(problem))
        return _page(request, service, upload=form, status=422)
    where = f"{form.cleaned_data['evidence']} · {name[-60:]}, row "
    refusals = [optouts.Refusal(one.msisdn, f"{where}{one.row}") for one in audience.recipients]
    added = optouts.opt_out(service.pk, refusals, by=actor(request), source=OptOut.Source.CSV)
    done = Uploaded(
        name=name,
        added=len(added),
        already=len({one.msisdn for one in refusals}) - len(added),
        rejects=audience.rejects,
    )
    return _page(request, service, uploaded=done)


@service_page("export", WRITE)
def opt_out_export(request: HttpRequest, service: Service) -> StreamingHttpResponse:
    """The whole list as CSV. It holds whole numbers, so the audit records who took it."""
    state = request.POST.get("state", "")
    rows = _in_state(OptOut.objects.filter(service=service), state)
    audit(
        "optout.exported",
        by=actor(request),
        service=service.slug,
        noun="opt-out",
        state=state if state in STATES else "all",
        rows=rows.count(),
    )
    return csv_download(csv_of(rows), name=f"opt-outs-{service.slug}.csv")


def _in_state(rows: "QuerySet[OptOut]", state: str) -> "QuerySet[OptOut]":
    return rows.filter(lifted_at__isnull=state == "in_force") if state in STATES else rows


class LiftOptOut(ConfirmView):
    act = "opt_in"
    form_class = LiftForm
    model = OptOut
    back, crumb = "opt_outs", "Opt-outs"

    def is_over(self) -> bool:
        if self.thing.lifted_at is not None:
            messages.info(self.request, "This opt-out was lifted already.")
        return self.thing.lifted_at is not None

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Write to {mask(self.thing.msisdn)} again?",
            says=(
                f"This person refused: {self.thing.evidence or 'we do not know how'}.",
                "Only write to people again who asked for it. Messages that were left out are not sent later.",
            ),
            button="Lift the opt-out",
        )

    def confirmed(self, form: Any) -> None:
        number, reason = self.thing.msisdn, form.cleaned_data["reason"]
        if optouts.opt_in(self.service.pk, [number], by=actor(self.request), reason=reason):
            messages.success(self.request, f"{mask(number)} can be written to again.")


@service_page("opt_in", WRITE)
def inbound_retry(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Read an SMS once more that was set aside."""
    found = get_object_or_404(InboundMessage, service=service, pk=pk)
    if optouts.retry(found):
        messages.success(request, "It was read and acted upon.")
    else:
        messages.error(request, "It still cannot be used; the reason is beside it.")
    return redirect("opt_outs", service=service.slug)


def _page(
    request: HttpRequest,
    service: Service,
    *,
    search: NumberForm | None = None,
    only: str = "",
    add: AddForm | None = None,
    upload: FileForm | None = None,
    uploaded: Uploaded | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = OptOut.objects.filter(service=service).select_related("send").order_by("-pk")
    answers = InboundMessage.objects.filter(service=service).select_related("send").defer("raw")
    if only:
        rows, answers = rows.filter(msisdn=only), answers.filter(msisdn=only)
    state = "" if only else request.GET.get("state", "")
    rows = _in_state(rows, state)
    if before := key_of(request.GET, "before"):
        rows = rows.filter(pk__lt=before)
    page = keyset_page(list(rows[: PAGE + 1]), PAGE)
    context: dict[str, Any] = {
        "rows": page.rows,
        "next_before": page.next_key,
        "only": only,
        "states": STATES,
        "state": state if state in STATES else "",
        "search": search or NumberForm(service=service, prefix="search"),
        "add": add or AddForm(service=service),
        "upload": upload or FileForm(prefix="upload"),
        "uploaded": uploaded,
        "shown_rejects": uploaded.rejects[:SHOWN_REJECTS] if uploaded else [],
        "answers": answers[:ANSWERS],
        "asked_for_help": answers.filter(meaning=InboundMessage.Meaning.HELP)[: COUNTED + 1].count(),
        "inbound_url": f"{settings.PUBLIC_URL}/inbound/{service.receipt_token}/",
        "in_force": OptOut.objects.filter(service=service, lifted_at=None)[: COUNTED + 1].count(),
        "counted": COUNTED,
    }
    return render(request, "opt_outs/list.html", context, status=status)
