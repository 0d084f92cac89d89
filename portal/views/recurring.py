"""Sends that come again: their list, one with what comes and what was, its rhythm, what is done with it, and the holidays of a service."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.dateparse import parse_date
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.recurring import HolidaysForm, RhythmForm
from portal.limits import CARDS
from portal.views.button_base import Said, button, error, info
from portal.views.confirm_base import Confirmation, ConfirmView, asking
from portal.views.form_base import form_page, refused_beside, typed
from sms.models import Actor, Holiday, RecurringSend, Service, StandingApproval
from sms.sends import progress
from sms.sends.recurring import control, holidays, standing, start, timetable
from sms.sends.recurring.control import RecurringRefused
from sms.sends.recurring.make import LATEST
from sms.sends.recurring.timetable import ComingOccurrence, when
from sms.values.msisdn.mention import masked
from sms.words import KeptSentence, moment, number

COMING = 5  # occurrences that a page shows ahead
PAST = 30
ENDED = KeptSentence(gettext_noop("Ended by %(who)s."))
WHOLE = RecurringSend.objects.select_related(
    "service", "run_by", "draft__audience__current", "draft__sender", "draft__template"
).defer("draft__audience__current__rejects")


@service_page("see")
def recurring_list(request: HttpRequest, service: Service) -> HttpResponse:
    rows = WHOLE.filter(service=service)
    ended = "ended" in request.GET
    is_ended = {"state": RecurringSend.State.ENDED}
    page = Paginator(rows.filter(**is_ended) if ended else rows.exclude(**is_ended), CARDS)
    found = page.get_page(request.GET.get("page"))
    days, skipped = timetable.holidays_of(service.pk), timetable.skipped_of(list(found))
    context = {
        "page": found,
        "ended": ended,
        "any_ended": ended or rows.filter(**is_ended).exists(),
        "coming": {
            one.pk: timetable.coming(one, most=1, holidays=days, skipped=skipped[one.pk]) for one in found
        },
        "holidays": len(days),
    }
    return form_page(request, "recurring/list.html", context)


@service_page("see", of=WHOLE)
def recurring_send(request: HttpRequest, _service: Service, found: RecurringSend) -> HttpResponse:
    past = found.occurrences.filter(at__lte=found.passed_until).select_related("send")
    page = Paginator(past, PAST).get_page(request.GET.get("page"))
    sends = progress.progress_of_page([one.send for one in page if one.send is not None])
    context = {
        "recurring": found,
        "coming": timetable.coming(found, most=COMING),
        "page": page,
        "figures": {one.send.pk: one for one in sends},
        "standing": standing.in_force(found),
        "was_standing": found.standing_approvals.filter(ended_at__isnull=False)[:5],
        "to_take": found.contents.filter(recurs_since=None, send=None, discarded_at=None).first(),
        "before": found.contents.exclude(recurs_since=None)
        .exclude(pk=found.draft_id)
        .order_by("-recurs_since")[:5],
        "late": LATEST // timedelta(hours=1),
    }
    return form_page(request, "recurring/detail.html", context)


@service_page("compose", FORM, of=WHOLE)
def recurring_rhythm(request: HttpRequest, service: Service, found: RecurringSend) -> HttpResponse:
    """Another rhythm or name: the dates are shown first, and stored by the button below them."""
    form = RhythmForm(**typed(request), instance=found, service=service)
    shown, words = list[ComingOccurrence](), ""
    if request.method != "POST":
        shown, words = timetable.coming(found, most=COMING), found.rhythm.in_words()
    elif form.is_valid():
        wanted = form.wanted()
        wanted.draft, wanted.made = found.draft, RecurringSend.objects.get(pk=found.pk).made
        wanted.passed_until = timetable.latest(found)
        shown, words = timetable.coming(wanted, most=COMING), wanted.rhythm.in_words()
        if "save" in request.POST and request.POST.get("seen") == key_of(form):
            with refused_beside(form, RecurringRefused, field="ends_on"):
                stored = RecurringSend.objects.get(pk=found.pk)
                changed = control.change_rhythm(stored, wanted, by=actor(request))
                says = _("The rhythm is changed from the next occurrence on.") if changed else _("Saved.")
                messages.success(request, says)
                return redirect("recurring_send", service=service.slug, pk=found.pk)
    context = {"form": form, "recurring": found, "coming": shown, "seen": key_of(form), "words": words}
    context["given"] = standing.in_force(found)
    return form_page(request, "recurring/rhythm.html", context)


def key_of(form: RhythmForm) -> str:
    """Of what the page shows dates for, so that no rhythm is stored whose dates were not seen."""
    if not (form.is_bound and form.is_valid()):
        return ""
    return "|".join(str(form.cleaned_data[name]) for name in control.RHYTHM)


@button("compose", RecurringSend, back="recurring_send", refusals=RecurringRefused)
def recurring_pause(recurring: RecurringSend, by: Actor) -> Said:
    if not control.pause(recurring, by=by):
        return info(_("It was paused already."))
    left = len(control.still_to_go(recurring))
    says = [_("Paused: no further send is made until it is resumed.")]
    if left:
        more = ngettext(
            "%(n)s send that is made already still goes out.",
            "%(n)s sends that are made already still go out.",
            left,
        )
        says.append(more % {"n": number(left)})
    return Said(" ".join(says))


@button("compose", RecurringSend, back="recurring_send", refusals=RecurringRefused)
def recurring_resume(recurring: RecurringSend, by: Actor) -> Said:
    control.resume(recurring, by=by)
    recurring.refresh_from_db()
    if recurring.next_at is None:
        return info(_("Its last day passed while it was paused, so it has ended."))
    says = _("It goes on, in your name. The next one is on %(day)s.")
    return Said(says % {"day": when(recurring, recurring.next_at)})


@service_page("compose", WRITE, of=WHOLE)
def recurring_change(request: HttpRequest, service: Service, found: RecurringSend) -> HttpResponse:
    """A draft to write what the occurrences to come say; nothing changes before it is taken."""
    if found.state == RecurringSend.State.ENDED:
        says = _("“%(name)s” has ended. Start a new one instead.")
        error(says % {"name": masked(found.name)}).on(request)
        return redirect("recurring_send", service=service.slug, pk=found.pk)
    draft = start.draft_to_change(found, by=actor(request))
    says = _("Change this draft. “%(name)s” goes on as it is until you take it over.")
    messages.info(request, says % {"name": masked(found.name)})
    return redirect("draft", service=service.slug, pk=draft.pk)


class EndRecurring(ConfirmView):
    act = "compose"
    model = RecurringSend
    back, back_to_thing, crumb = "recurring_send", True, gettext_lazy("Recurring send")
    refusals = (RecurringRefused,)

    def over(self) -> Said | None:
        return info(_("It has ended already.")) if self.thing.state == RecurringSend.State.ENDED else None

    def confirmation(self) -> Confirmation:
        left, made = len(control.still_to_go(self.thing)), self.thing.made
        says = _("None of its sends waits now.")
        if left:
            says = ngettext(
                "%(n)s send made already still goes out. To stop it, cancel on the send's page.",
                "%(n)s sends made already still go out. To stop them, cancel on the send's page.",
                left,
            ) % {"n": number(left)}
        return Confirmation(
            _("End “%(name)s”?") % {"name": masked(self.thing.name)},
            ngettext(
                "It was sent %(n)s time. It will not be sent again. You cannot undo this.",
                "It was sent %(n)s times. It will not be sent again. You cannot undo this.",
                made,
            )
            % {"n": number(made)},
            says,
            button=_("End it"),
        )

    def confirmed(self, form: Any) -> Said:
        control.end(self.thing, by=self.by)
        return Said(_("“%(name)s” has ended. Its history stays.") % {"name": masked(self.thing.name)})


class SkipOccurrence(ConfirmView):
    """One occurrence, by the day of the rhythm that the address names."""

    act = "cancel"
    model = RecurringSend
    back, back_to_thing, crumb = "recurring_send", True, gettext_lazy("Recurring send")
    refusals = (RecurringRefused,)

    @cached_property
    def day(self) -> date | None:
        return day_of(self.request.GET.get("on", ""))

    def find(self) -> Any:
        return get_object_or_404(WHOLE, service=self.service, pk=self.kwargs["pk"])

    @cached_property
    def one(self) -> ComingOccurrence | None:
        return control.one_to_come(self.thing, self.day) if self.day is not None else None

    def over(self) -> Said | None:
        if self.one is None or self.one.left_out:
            says = _("There is no occurrence to skip on that day. If it is made already, cancel its send.")
            return error(RecurringRefused(says))
        return info(_("It is skipped already.")) if self.one.skipped else None

    def confirmation(self) -> Confirmation:
        assert self.one is not None, "it was looked for"
        later = [
            one
            for one in timetable.coming(self.thing, most=control.NEAR)
            if one.at > self.one.at and one.goes_out
        ]
        after = (
            _("The next one after it is on %(day)s.") % {"day": when(self.thing, later[0].at)}
            if later
            else _("It is the last one.")
        )
        audience = self.thing.draft.audience
        people = audience.current.recipients if audience and audience.current else 0
        says = ngettext(
            "Occurrence %(number)s is not made, so the %(n)s people of “%(audience)s” get nothing then.",
            "Occurrence %(number)s is not made, so the %(n)s people of “%(audience)s” get nothing then.",
            people,
        )
        return Confirmation(
            _("Skip the one on %(day)s?") % {"day": when(self.thing, self.one.at)},
            says % {"number": self.one.number, "n": number(people), "audience": audience},
            after,
            button=_("Skip it"),
        )

    def confirmed(self, form: Any) -> Said:
        assert self.day is not None, "an occurrence of it was found"
        one = control.skip(self.thing, self.day, by=self.by)
        return Said(_("Skipped: nothing goes out on %(day)s.") % {"day": when(self.thing, one.at)})


@service_page("cancel", WRITE, of=RecurringSend)
def recurring_take_back_in(request: HttpRequest, service: Service, found: RecurringSend) -> HttpResponse:
    day = day_of(request.POST.get("on", ""))
    try:
        done = day is not None and control.take_back_in(found, day, by=actor(request))
        said = Said(_("It goes out again as planned.")) if done else info(_("It was not skipped."))
    except RecurringRefused as problem:
        said = error(problem)
    said.on(request)
    return redirect("recurring_send", service=service.slug, pk=found.pk)


def day_of(written: str) -> date | None:
    try:
        return parse_date(written)
    except ValueError:  # the 30th of February
        return None


def _ask_end(given: StandingApproval) -> Confirmation | Said:
    if given.ended_at is not None:
        return info(_("It has ended already."))
    says = ngettext(
        "It lets each occurrence of “%(name)s” go to %(n)s person at most, until %(day)s.",
        "It lets each occurrence of “%(name)s” go to %(n)s people at most, until %(day)s.",
        given.most,
    )
    facts = {
        "name": given.recurring.name,
        "n": number(given.most),
        "day": moment(localtime(given.expires_at), "j F Y"),
    }
    return Confirmation(
        _("End the standing approval of %(person)s?") % {"person": given.label},
        says % facts,
        _("From now on each occurrence waits until it is approved."),
        button=_("End it"),
    )


@asking(
    "cancel",
    StandingApproval,
    asks=_ask_end,
    back="recurring",
    at="",
    through="recurring__service",
    crumb=gettext_lazy("Recurring sends"),
)
def standing_approval_end(given: StandingApproval, by: Actor) -> Said:
    if given.ended_at is not None:
        return info(_("It has ended already."))
    standing.end(given, because=ENDED(who=by.label), by=by)
    return Said(_("The standing approval has ended: the next occurrence that needs approval asks again."))


@service_page("see")
def holidays_page(request: HttpRequest, service: Service) -> HttpResponse:
    return _holidays(request, service, HolidaysForm(initial={"lines": holidays.as_text(service)}))


@service_page("configure", WRITE)
def holidays_keep(request: HttpRequest, service: Service) -> HttpResponse:
    """All of them are replaced by what was typed, or by what the file says."""
    form = HolidaysForm(**typed(request))
    if not form.is_valid():
        return _holidays(request, service, form)
    moved = holidays.replace(service, form.days, by=actor(request))
    days = len(form.days)
    says = [ngettext("%(n)s holiday is kept.", "%(n)s holidays are kept.", days) % {"n": number(days)}]
    if moved:
        more = ngettext(
            "%(n)s recurring send has another next day because of it.",
            "%(n)s recurring sends have another next day because of it.",
            moved,
        )
        says.append(more % {"n": number(moved)})
    messages.success(request, " ".join(says))
    return redirect("holidays", service=service.slug)


def _holidays(request: HttpRequest, service: Service, form: HolidaysForm) -> HttpResponse:
    kept = list(Holiday.objects.filter(service=service))
    return form_page(request, "recurring/holidays.html", {"form": form, "kept": kept})
