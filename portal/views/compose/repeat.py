"""From a draft to a recurring send: its rhythm with the dates that follow, and another draft for one that runs."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access import FORM, actor, service_page
from portal.forms.numbers import row_of
from portal.forms.problems import add_problems
from portal.forms.recurring import RhythmForm
from portal.views.button_base import Said, error, info
from portal.views.compose.page_base import check_passing_on, refused
from portal.views.compose.used_drafts import in_use
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, typed
from portal.views.recurring import COMING, key_of
from sms.compose import drafts
from sms.compose.errors import ComposeError
from sms.models import RecurringSend, Service
from sms.models.sql.clock import corrected_now
from sms.sends.recurring import standing, start, timetable
from sms.sends.recurring.timetable import ComingOccurrence, when
from sms.values.msisdn.mention import masked
from sms.words import number

OF_RHYTHM = (
    "name",
    "every",
    "at",
    "interval",
    "days",
    "day",
    "nth",
    "weekday",
    "starts_on",
    "ends_on",
    "times",
)


@service_page("compose", FORM)
def draft_repeat(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """How often a draft is sent. The first button shows the dates, the second one starts what was shown."""
    found = get_object_or_404(drafts.with_related(service.drafts.select_related("service")), pk=pk)
    if not found.is_open:
        return in_use(request, found)
    if why := start.obstacle(found):
        messages.warning(request, why)
        return redirect("draft", service=service.slug, pk=found.pk)
    new = RecurringSend(service=service, name=found.name[:80], draft=found, time_zone=service.time_zone)
    form = RhythmForm(**typed(request), instance=new, service=service)
    shown, words = list[ComingOccurrence](), ""
    if form.is_bound and form.is_valid():
        wanted = form.wanted()
        wanted.draft, wanted.passed_until = found, corrected_now()
        shown, words = timetable.coming(wanted, most=COMING), wanted.rhythm.in_words()
        if "save" in request.POST and request.POST.get("seen") == key_of(form):
            try:
                check_passing_on(request, found, found.numbers_withheld)
                made = start.start(found, wanted, by=actor(request), seen=row_of(request.POST, "revision"))
            except drafts.NotReady:
                messages.info(
                    request, _("Its rows are still being checked. Start it once the figures are here.")
                )
                return redirect("draft_review", service=service.slug, pk=found.pk)
            except ComposeError as problem:
                if not {one.field for one in problem.problems} <= {*OF_RHYTHM, "again"}:
                    return refused(request, service, found, problem)
                add_problems(form, problem.problems)
            else:
                assert made.next_at is not None, "it runs"
                says = _("Started. The first one goes out on %(day)s.")
                messages.success(request, says % {"day": when(made, made.next_at)})
                return redirect("recurring_send", service=service.slug, pk=made.pk)
    context = {
        "form": form,
        "draft": found,
        "coming": shown,
        "seen": key_of(form),
        "recurring": new,
        "words": words,
    }
    return form_page(request, "recurring/start.html", context)


class TakeDraft(ConfirmView):
    """From the next occurrence on, a recurring send says what this draft says."""

    act = "compose"
    back, back_to_thing = "draft_review", True

    def find(self) -> Any:
        rows = self.service.drafts.select_related(
            "service", "recurring__service", "recurring__draft", "audience__current"
        )
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def over(self) -> Said | None:
        if self.thing.recurring is None:
            return error(_("This draft changes no recurring send."))
        return None if self.thing.is_open else info(_("It was taken already."))

    def confirmation(self) -> Confirmation:
        recurring = self.thing.recurring
        coming = timetable.coming(recurring, most=1)
        given = len(standing.in_force(recurring))
        says = [
            _("The next one, on %(day)s, is the first with the new text and options.")
            % {"day": when(recurring, coming[0].at)}
            if coming
            else _("The next one, when it is resumed, is the first with the new text and options.")
        ]
        if given:
            ends = ngettext(
                "%(n)s standing approval ends: what needs approval is asked about again.",
                "%(n)s standing approvals end: what needs approval is asked about again.",
                given,
            )
            says.append(ends % {"n": number(given)})
        return Confirmation(
            _("Change “%(name)s” from here on?") % {"name": masked(recurring.name)},
            *says,
            _("Sends that are made already stay as they are."),
            button=_("Change it from here on"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said | HttpResponse:
        try:
            check_passing_on(self.request, self.thing, self.thing.numbers_withheld)
            start.change_content(self.thing.recurring, self.thing, by=self.by)
        except drafts.NotReady:
            return info(_("Its rows are still being checked. Take it once the figures are here."))
        except ComposeError as problem:
            return error(problem)
        messages.success(self.request, _("Changed from the next occurrence on."))
        return redirect("recurring_send", service=self.service.slug, pk=self.thing.recurring_id)
