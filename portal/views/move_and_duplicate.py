"""Moving a send that has not begun to another time or to now, and duplicating one: on pages that work without scripts."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from portal.access import FORM, actor, service_page
from portal.forms.control import MoveForm
from portal.forms.problems import add_problems
from portal.limits import upload_limits
from portal.views.button_base import Said, error, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.draft_opened import opened
from portal.views.form_base import form_page, typed
from sms.compose.drafts import duplicate, recipients_of_send
from sms.compose.errors import ComposeError
from sms.models import Send, SendState, Service
from sms.models.sql.clock import corrected_now
from sms.sends import calendar, holds, reschedule
from sms.values import quiet_hours
from sms.words import moment, number

AROUND = timedelta(days=1)
NO_RECIPIENTS = "nobody"


@service_page("compose", FORM, of=Send.objects.select_related("sender", "service"))
def send_move(request: HttpRequest, service: Service, found: Send) -> HttpResponse:
    """A send that begins while the page is open is not moved, and the page says so."""
    now = corrected_now()
    if request.method != "POST" and found.state not in calendar.BEFORE:
        messages.info(request, reschedule.too_late(found))
        return redirect("send", service=service.slug, pk=found.pk)
    form = MoveForm(**typed(request), initial={"send_at": timezone.localtime(found.due_at)})
    if not form.is_valid():
        return _page(request, service, found, form)
    try:
        reschedule.reschedule(found, due_at=form.cleaned_data["send_at"], by=actor(request), now=now)
    except reschedule.SendHasBegun as problem:
        messages.warning(request, str(problem))
    except ComposeError as problem:
        add_problems(form, (one.at("send_at") for one in problem.problems))
        return _page(request, service, found, form)
    else:
        _say(request, found, at_once=False)
    return redirect(_where_from(request, found))


def _where_from(request: HttpRequest, found: Send) -> str:
    """The calendar's week of the send, or its page."""
    if request.GET.get("from") == "calendar" and found.state in calendar.BEFORE:
        week = urlencode({"view": "week", "at": timezone.localtime(found.due_at).date()})
        return f"{reverse('calendar', args=[found.service.slug])}?{week}"
    return reverse("send", args=[found.service.slug, found.pk])


class SendNow(ConfirmView):
    """To send at once what was planned for later."""

    act = "compose"
    model = Send
    crumb = pgettext_lazy("noun", "Send")

    def over(self) -> Said | None:
        if self.request.method == "POST" or self.thing.state in calendar.BEFORE:
            return None
        return info(reschedule.too_late(self.thing))

    def get_success_url(self) -> str:
        return _where_from(self.request, self.thing)

    def confirmation(self) -> Confirmation:
        found: Send = self.thing
        due = timezone.localtime(found.due_at)
        facts = {
            "n": number(found.recipients),
            "sender": found.sender,
            "day": moment(due, "l j F Y"),
            "time": moment(due, "H:i T"),
        }
        planned = ngettext(
            "%(n)s message from %(sender)s would go out on %(day)s at %(time)s. They go out at once instead.",
            "%(n)s messages from %(sender)s would go out on %(day)s at %(time)s. They go out at once instead.",
            found.recipients,
        )
        button = ngettext("Send %(n)s message now", "Send %(n)s messages now", found.recipients)
        approval = (
            [_("It needs approval of its new time first. Nothing is sent before.")] if found.approvers else []
        )
        return Confirmation(
            _("Send “%(name)s” now?") % {"name": found.name},
            planned % facts,
            *approval,
            _("Messages that have gone out cannot be called back."),
            button=button % facts,
            danger=False,
        )

    def confirmed(self, form: Any) -> Said | None:
        now = corrected_now()
        try:
            reschedule.reschedule(self.thing, due_at=now, by=self.by, now=now)
        except reschedule.SendHasBegun as problem:
            return Said(str(problem), messages.WARNING)
        except ComposeError as problem:
            return error(" ".join(one.text for one in problem.problems))
        _say(self.request, self.thing, at_once=True)
        return None


def _page(request: HttpRequest, service: Service, found: Send, form: MoveForm) -> HttpResponse:
    since, until = found.due_at - AROUND, found.due_at + AROUND
    near = calendar.entries_between([service], since=since, until=until, now=corrected_now())
    entries = [one for one in near.entries if one.send != found]
    context = {
        "form": form,
        "send": found,
        "near": entries[:12],
        "from_calendar": request.GET.get("from") == "calendar",
    }
    return form_page(request, "sends/move.html", context)


def _say(request: HttpRequest, found: Send, *, at_once: bool) -> None:
    local = timezone.localtime(found.due_at)
    moved = _("Moved: it goes out on %(day)s at %(time)s.") % {
        "day": moment(local, "l j F Y"),
        "time": moment(local, "H:i T"),
    }
    messages.success(request, _("Its time is now.") if at_once else moved)
    if found.state == SendState.AWAITING:
        messages.warning(request, _("It needs approval of its new time. Nothing is sent before."))
    zone, quiet = found.service.clock, found.quiet_hours
    if quiet and (quiet_hours.next_allowed(found.due_at, (zone,), quiet) or found.due_at) > found.due_at:
        words = _(
            "That is within the quiet hours (%(hours)s, the recipient's time): most messages will wait for their end."
        )
        messages.warning(request, words % {"hours": quiet})
    if holds.holds_on(found).exists() or found.service.paused_at:
        messages.warning(request, _("It is on hold, so nothing of it is sent until it is resumed."))


RELATED = ("service", "sender", "template", "template_version", "policy_group", "link_domain")
WHOLE = Send.objects.select_related(*RELATED, "audience__audience").defer("audience__rejects")


@service_page("compose", FORM, of=WHOLE)
def send_duplicate(request: HttpRequest, _service: Service, found: Send) -> HttpResponse:
    """As a draft, which opens next; the page asks which recipients are taken over. Nothing is sent."""
    code = (request.POST.get("code") or request.GET.get("code", ""))[:10]
    choices = duplicate.choices(found, code=code)
    open_ones = [one.who.value for one in choices if not one.problem]
    chosen, wrong = request.POST.get("who", ""), ""
    if request.method != "POST":
        usual = recipients_of_send.Who.FAILED.value
        chosen = usual if code and usual in open_ones else next(iter(open_ones), NO_RECIPIENTS)
    elif chosen not in (*open_ones, NO_RECIPIENTS):
        wrong = next((one.problem for one in choices if one.who == chosen), "") or _("Choose to whom.")
    else:
        who = None if chosen == NO_RECIPIENTS else recipients_of_send.Who(chosen)
        try:
            draft, warnings = duplicate.duplicate(
                found, who, code=code, by=actor(request), limits=upload_limits()
            )
        except recipients_of_send.RecipientsGone as gone:
            wrong = str(gone)
        else:
            return opened(request, draft, warnings)
    context = {"send": found, "choices": choices, "chosen": chosen, "wrong": wrong, "code": code}
    return render(request, "sends/duplicate.html", context, status=422 if wrong else 200)
