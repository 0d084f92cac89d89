"""Going live: the steps with their checks, what a person confirms, and the record to print."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import WRITE, actor, service_page
from portal.demo import ending
from portal.forms.control import NoteForm
from portal.going_live.progress import CannotConfirm, confirm, keep_passed, progress_of, take_back
from portal.going_live.steps import STEPS, Step
from portal.going_live.this_host import this_host
from portal.views.button_base import Said, error, info
from portal.views.confirm_base import Confirmation, ConfirmView, asking
from sms.models import Actor, Region, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.webex.hosts import EGRESS, LEGACY
from sms.words import number


@service_page("configure")
def going_live(request: HttpRequest, service: Service) -> HttpResponse:
    """Opening the page keeps what passed, so that the record stays when receipts and messages are deleted."""
    progress = progress_of(service)
    keep_passed(service, progress)
    regions = [(region, EGRESS.get(region.key, ())) for region in Region.objects.all()]
    context = {
        "progress": progress,
        "regions": regions,
        "egress": EGRESS.get(service.region.key, ()),
        "legacy": LEGACY,
        "here": this_host(),
        "receipt_url": f"{settings.PUBLIC_URL}/receipts/{service.receipt_token}/",
        "webhook_url": f"{settings.PUBLIC_URL}/receipts/{service.webhook_token}/",
        "incoming_url": f"{settings.PUBLIC_URL}/inbound/{service.webhook_token}/",
    }
    return render(request, "going_live/page.html", context)


@service_page("audit")
def going_live_record(request: HttpRequest, service: Service) -> HttpResponse:
    """The same steps on paper, for those who sign and those who audit. It holds no secret."""
    context = {"progress": progress_of(service), "now": corrected_now(), "public_url": settings.PUBLIC_URL}
    return render(request, "going_live/record.html", context)


class ConfirmStep(ConfirmView):
    act = "configure"
    form_class = NoteForm
    back, crumb = "going_live", gettext_lazy("Going live")
    refusals = (CannotConfirm,)

    def find(self) -> Step:
        return _step(self.kwargs["step"])

    def over(self) -> Said | None:
        stands = next(one for one in progress_of(self.service).steps if one.step == self.thing)
        if stands.done:
            return info(_("This step is done already."))
        if stands.can_confirm:
            return None
        return error(" ".join((stands.finding.says, _("It is done when its check passes."))))

    def confirmation(self) -> Confirmation:
        return Confirmation(
            # Translators: title is what is true when the step is done, such as "A backup was restored once".
            _("%(title)s?") % {"title": self.thing.title},
            _("You state: “%(words)s”") % {"words": self.thing.confirm},
            _("Textdesk cannot check this. Your address, %(person)s, and the time stand in the record.")
            % {"person": self.by.label},
            button=_("I confirm this"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        confirm(self.service, self.thing.key, by=self.by, note=form.cleaned_data["reason"])
        said = _("Confirmed by %(person)s: %(title)s.")
        return Said(said % {"person": self.by.label, "title": self.thing.title})


@service_page("configure", WRITE)
def step_take_back(request: HttpRequest, service: Service, step: str) -> HttpResponse:
    """What a person confirmed is open again."""
    if take_back(service, _step(step).key, by=actor(request)):
        messages.success(request, _("%(title)s: open again.") % {"title": _step(step).title})
    else:
        messages.info(request, _("That step was not confirmed by a person."))
    return redirect("going_live", service=service.slug)


def _ask_end(service: Service) -> Confirmation:
    people, keys, entries = ending.would_end(service)
    ends = ngettext(
        # Translators: people is "2 demo people", and entries "1 entry"; the number is of the keys.
        "%(people)s can no longer sign in, %(n)s API key of theirs ends, and %(entries)s of the catalogue are archived.",
        "%(people)s can no longer sign in, %(n)s API keys of theirs end, and %(entries)s of the catalogue are archived.",
        keys,
    ) % {
        "people": ngettext("%(n)s demo person", "%(n)s demo people", people) % {"n": number(people)},
        "n": number(keys),
        "entries": ngettext("%(n)s entry", "%(n)s entries", entries) % {"n": number(entries)},
    }
    return Confirmation(_("End the demo?"), ends, _("This cannot be undone."), button=_("End the demo"))


@asking("configure", asks=_ask_end, back="going_live", crumb=gettext_lazy("Going live"))
def demo_end(service: Service, by: Actor) -> Said:
    """For what came back after the service went live, as by an admin who let a demo person in again."""
    if service.is_sandbox:
        return error(_("The service speaks to the sandbox. The demo ends when you connect a real region."))
    with transaction.atomic():
        people = ending.retire_people(by=by)
        ending.withdraw_invitations(service, by=by)
        keys, entries = ending.revoke_keys(service, by=by), ending.archive_entries(service, by=by)
        audit("service.demo_ended", service, by=by, people=people, keys=keys, entries=entries)
    said = _(
        "Ended: %(people)s demo people, %(keys)s API keys of theirs, %(entries)s entries of the catalogue."
    )
    return Said(said % {"people": number(people), "keys": number(keys), "entries": number(entries)})


def _step(key: str) -> Step:
    if key not in STEPS:
        raise Http404("no such step")
    return STEPS[key]
