"""Opt-outs: the list, adding one or a file of them, lifting one, and what is made of an SMS that may be a refusal."""

import io
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.msisdn import AddForm, FileForm, LiftForm, NumberForm
from portal.forms.numbers import key_of
from portal.forms.problems import add_problems
from portal.limits import PAGE, upload_limits
from portal.presenters.downloads import csv_download
from portal.presenters.file_findings import lines_of
from portal.presenters.keyset import keyset_page
from portal.views.button_base import Said, button, error, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, typed
from sms.audiences.files import AudienceError, grouped, read
from sms.audiences.files.rows import ReadOptions
from sms.inbound import optouts
from sms.inbound.optouts.export import csv_of
from sms.inbound.optouts.exported import refusals_in
from sms.models import Actor, InboundMessage, OptOut, Service
from sms.models.audit import audit
from sms.values.msisdn import mask
from sms.values.msisdn.mention import masked, starred
from sms.words import KeptSentence, retold

STATES = {"in_force": gettext_lazy("In force"), "lifted": gettext_lazy("Lifted")}
IN_FILE = KeptSentence(gettext_noop("%(evidence)s · %(file)s, row %(row)s"))
COUNTED = 10_000  # beyond that the page says "more than"


@service_page("see", FORM)
def opt_outs(request: HttpRequest, service: Service) -> HttpResponse:
    """A search comes by POST, so that no number stands in an address or a log."""
    search = NumberForm(**typed(request), service=service, prefix="search")
    only = search.cleaned_data["number"] if search.is_valid() else ""
    return _page(request, service, search=search, only=only)


@service_page("opt_out", WRITE)
def opt_out_add(request: HttpRequest, service: Service) -> HttpResponse:
    form = AddForm(request.POST, service=service)
    if not form.is_valid():
        return _page(request, service, add=form)
    number = form.cleaned_data["number"]
    refusal = optouts.Refusal(number, form.cleaned_data["evidence"])
    if optouts.opt_out(service.pk, [refusal], by=actor(request), source=OptOut.Source.PAGE):
        messages.success(request, _("%(number)s is opted out from now on.") % {"number": mask(number)})
    else:
        messages.info(request, _("%(number)s was opted out already.") % {"number": mask(number)})
    return redirect("opt_outs", service=service.slug)


@service_page("opt_out", WRITE)
def opt_out_upload(request: HttpRequest, service: Service) -> HttpResponse:
    """A file of numbers. What could not be read is shown with its row and reason; the rest counts."""
    form = FileForm(request.POST, request.FILES, prefix="upload", service=service)
    if not form.is_valid():
        return _page(request, service, upload=form)
    assert form.given is not None, "the form asks for one"
    file, name = io.BytesIO(form.given.content), form.given.name
    reading: ReadOptions = {
        "country": service.default_country,
        "limits": upload_limits(),
        "allow_duplicates": True,
        "choices": form.choices,
    }
    try:
        audience = read(file, name=name, **reading).without_strangers()
    except AudienceError as problem:
        form.keep_for_choice(problem)
        add_problems(form, [problem.problem_of("file")])
    else:
        form.forget_kept()
        evidence, of = form.cleaned_data["evidence"], name[-60:]
        meant = refusals_in(audience, service.pk)
        refusals = [
            optouts.Refusal(one.msisdn, IN_FILE(evidence=evidence, file=of, row=one.row)) for one in meant
        ]
        added = optouts.opt_out(service.pk, refusals, by=actor(request), source=OptOut.Source.CSV)
        uploaded = {
            "name": name,
            "added": len(added),
            "already": len({one.msisdn for one in refusals}) - len(added),
            "lifted": len(audience.recipients) - len(meant),
            "rejects": audience.rejects,
            "groups": grouped(audience.rejects),
            "lines": lines_of(audience.findings),
        }
        return _page(request, service, uploaded=uploaded)
    return _page(request, service, upload=form, lines=lines_of(form.found))


@service_page("export", WRITE)
def opt_out_export(request: HttpRequest, service: Service) -> StreamingHttpResponse:
    """The whole list as CSV. It holds whole numbers, so the audit records who took it."""
    state = request.POST.get("state", "")
    rows = _in_state(OptOut.objects.filter(service=service), state)
    by, slug, chosen = actor(request), service.slug, state if state in STATES else "all"
    audit("optout.exported", by=by, service=slug, noun="opt-out", state=chosen, rows=rows.count())
    return csv_download(csv_of(rows), name=f"opt-outs-{service.slug}{service.file_mark}.csv")


def _in_state(rows: "QuerySet[OptOut]", state: str) -> "QuerySet[OptOut]":
    return rows.filter(lifted_at__isnull=state == "in_force") if state in STATES else rows


class LiftOptOut(ConfirmView):
    act = "opt_in"
    form_class = LiftForm
    model = OptOut
    back, crumb = "opt_outs", gettext_lazy("Opt-outs")

    def over(self) -> Said | None:
        return info(_("This opt-out was lifted already.")) if self.thing.lifted_at else None

    def confirmation(self) -> Confirmation:
        evidence = starred(retold(self.thing.evidence), self.thing.msisdn)
        shown = masked(evidence, but=self.service.sender_digits)
        return Confirmation(
            _("Write to %(number)s again?") % {"number": mask(self.thing.msisdn)},
            _("This person refused: %(evidence)s.") % {"evidence": shown}
            if shown
            else _("This person refused: we do not know how."),
            _("Only write to people again who asked for it. Messages that were left out are not sent later."),
            button=_("Lift the opt-out"),
        )

    def confirmed(self, form: Any) -> Said | None:
        number, reason = self.thing.msisdn, form.cleaned_data["reason"]
        if optouts.opt_in(self.service.pk, [number], by=self.by, reason=reason):
            return Said(_("%(number)s can be written to again.") % {"number": mask(number)})
        return None


@button("opt_in", InboundMessage, back="replies", at="")
def inbound_retry(message: InboundMessage, _by: Actor) -> Said:
    """Read an SMS once more that was set aside."""
    if optouts.retry(message):
        return Said(_("It was read and acted upon."))
    return error(_("It still cannot be used; the reason is beside it."))


@button("opt_out", InboundMessage, back="reply", at="conversation_id", without="replies")
def inbound_refuses(message: InboundMessage, by: Actor) -> Said:
    """Take an SMS for the refusal that it may be."""
    if optouts.decide(message, refuses=True, by=by):
        return Said(_("%(number)s is opted out from now on.") % {"number": mask(message.msisdn)})
    return info(_("That SMS was decided already."))


@button("opt_out", InboundMessage, back="reply", at="conversation_id", without="replies")
def inbound_refuses_nothing(message: InboundMessage, by: Actor) -> Said:
    """Take an SMS for an ordinary answer."""
    if optouts.decide(message, refuses=False, by=by):
        return Said(_("No refusal. %(number)s goes on getting messages.") % {"number": mask(message.msisdn)})
    return info(_("That SMS was decided already."))


def _page(request: HttpRequest, service: Service, *, only: str = "", **shown: Any) -> HttpResponse:
    rows = OptOut.objects.filter(service=service).select_related("send").order_by("-pk")
    if only:
        rows = rows.filter(msisdn=only)
    state = "" if only else request.GET.get("state", "")
    rows = _in_state(rows, state)
    if before := key_of(request.GET, "before"):
        rows = rows.filter(pk__lt=before)
    page = keyset_page(list(rows[: PAGE + 1]), PAGE)
    context = {
        "maybe": 0 if only else optouts.to_decide(service.pk)[: COUNTED + 1].count(),
        "rows": page.rows,
        "next_before": None if only else page.next_key,
        "query": urlencode({"state": state}) if state in STATES else "",
        "only": only,
        "states": STATES,
        "state": state if state in STATES else "",
        "search": NumberForm(service=service, prefix="search"),
        "add": AddForm(service=service),
        "upload": FileForm(prefix="upload", service=service),
        "inbound_url": f"{settings.PUBLIC_URL}/inbound/{service.webhook_token}/",
        "keyword_url": f"{settings.PUBLIC_URL}/inbound/{service.receipt_token}/",
        "in_force": OptOut.objects.filter(service=service, lifted_at=None)[: COUNTED + 1].count(),
        "counted": COUNTED,
    }
    return form_page(request, "opt_outs/list.html", context | shown)
