"""Changes that make approval weaker and wait for another admin: the list, confirming and declining."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import service_page
from portal.forms.control import ReasonForm
from portal.views.button_base import Said, error
from portal.views.confirm_base import Confirmation, ConfirmView
from sms import guard
from sms.models import Service, WaitingChange
from sms.words import retold

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
    back, crumb = "waiting_changes", gettext_lazy("Waiting changes")
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
        says = _("%(name)s: from %(before)s to %(after)s.")
        said = (says % {name: retold(words) for name, words in one.items()} for one in self.thing.says)
        return [line[:1].upper() + line[1:] for line in said]


class ConfirmChange(ChangeView):
    def over(self) -> Said | None:
        why = guard.obstacle(self.thing, self.request.user)
        return error(why) if why else None

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Confirm: %(change)s?") % {"change": retold(self.thing.title)},
            _("%(person)s asks for it. It waits for you because approval is on.")
            % {"person": self.thing.asked_label},
            *self.lines,
            _("It takes effect at once."),
            button=_("Confirm"),
        )

    def confirmed(self, form: Any) -> Said:
        if guard.confirm(self.thing, by=self.by):
            return Said(_("Confirmed. It counts from now on."))
        self.thing.refresh_from_db()
        return error(" ".join((_("Nothing was changed."), retold(self.thing.because))))


class DeclineChange(ChangeView):
    form_class = ReasonForm

    def confirmation(self) -> Confirmation:
        own = self.thing.asked_by_id == self.request.user.pk
        title = _("Take back: %(change)s?") if own else _("Decline: %(change)s?")
        return Confirmation(
            title % {"change": retold(self.thing.title)},
            *self.lines,
            _("Everything stays as it is, and all admins get a notice."),
            button=_("Take back") if own else _("Decline"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        guard.decline(self.thing, by=self.by, because=form.cleaned_data["reason"])
        return Said(_("It waits no more. Everything stays as it was."))
