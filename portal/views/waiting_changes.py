"""Changes that make approval weaker and wait for another admin: the list, confirming and declining."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import service_page
from portal.forms.control import ReasonForm
from portal.views.button_base import Said, error
from portal.views.confirm_base import Confirmation, ConfirmView
from sms import guard
from sms.models import Service, WaitingChange

SHOWN = 50


@service_page("configure")
def waiting_changes(request: HttpRequest, service: Service) -> HttpResponse:
    user: Any = request.user
    waits = [(one, guard.obstacle(one, user)) for one in guard.waiting(service, user)[:SHOWN]]
    context = {"waits": waits, "ended": guard.recent(service, user)[:SHOWN], "on": guard.on_guard(service.pk)}
    return render(request, "settings/waiting_changes.html", context)


class ChangeView(ConfirmView):
    """One change of this service, or of every service where the viewer is a superuser."""

    act = "configure"
    back, crumb = "waiting_changes", "Waiting changes"
    refusals = (guard.GuardRefused,)
    thing: WaitingChange

    def find(self) -> WaitingChange:
        every = guard.waiting(self.service, self.request.user) | guard.recent(self.service, self.request.user)
        found: WaitingChange | None = every.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404("no such change")
        return found

    @property
    def lines(self) -> list[str]:
        said = (f"{one['name']}: from {one['before']} to {one['after']}." for one in self.thing.says)
        return [line[:1].upper() + line[1:] for line in said]


class ConfirmChange(ChangeView):
    def over(self) -> Said | None:
        why = guard.obstacle(self.thing, self.request.user)
        return error(why) if why else None

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Confirm: {self.thing.title}?",
            f"{self.thing.asked_label} asks for it, and it makes approval weaker.",
            *self.lines,
            "It takes effect at once.",
            button="Confirm",
        )

    def confirmed(self, form: Any) -> Said:
        if guard.confirm(self.thing, by=self.by):
            return Said("Confirmed. It counts from now on.")
        self.thing.refresh_from_db()
        return error(f"Nothing was changed. {self.thing.because}")


class DeclineChange(ChangeView):
    form_class = ReasonForm

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Decline: {self.thing.title}?",
            *self.lines,
            "Everything stays as it is, and all admins get a notice.",
            button="Decline",
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        guard.decline(self.thing, by=self.by, because=form.cleaned_data["reason"])
        return Said("Declined. Everything stays as it was.")
