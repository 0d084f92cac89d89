"""Approvals: the lists of requests, one request with what changed since the last, the answers, and taking a send back."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from portal.access import WRITE, actor, service_page
from portal.forms.numbers import row_of
from portal.forms.texts import text_of
from portal.limits import CARDS
from portal.presenters.approval_request import beside_the_question
from portal.presenters.comments_card import comments_card
from portal.presenters.send_state import APPROVAL_MARKS
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.compose.approval import details, queries, requests
from sms.models import ApprovalRequest, ApprovalState, Draft, RecurringSend, Send, SendState, Service, Upload
from sms.models.sql.clock import corrected_now
from sms.sends import answers, calendar
from sms.sends.recurring import standing
from sms.words import moment, number

ASKED = ApprovalRequest.objects.select_related(
    "send__service",
    "send__sender",
    "send__link_domain",
    "send__audience__audience",
    "send__audience__made_by",
    "send__audience__upload__uploaded_by",
    "previous",
    "asked_by",
    "draft__upload__uploaded_by",
).defer(f"draft__{Upload.LIGHT}", f"send__audience__{Upload.LIGHT}", "send__audience__rejects")
VIEWS = (
    ("me", gettext_lazy("Needs me")),
    ("mine", gettext_lazy("Mine")),
    ("open", gettext_lazy("All open")),
    ("decided", gettext_lazy("Decided")),
)


@service_page("see")
def approvals(request: HttpRequest, service: Service) -> HttpResponse:
    """Four lists of requests: what this person can answer, what they asked, what is open, and what has ended."""
    return render(request, "approvals/list.html", _listed(request, service))


@service_page("see")
def approvals_part(request: HttpRequest, service: Service) -> HttpResponse:
    """The rows, which the page fetches every few seconds while one of them is open."""
    return render(request, "approvals/_list.html", _listed(request, service))


def _listed(request: HttpRequest, service: Service) -> dict[str, Any]:
    user: Any = request.user
    usual = "me" if _may(request) else "open"
    wanted = request.GET.get("show", usual)
    rows = {
        "me": queries.to_answer(service, user) if _may(request) else ApprovalRequest.objects.none(),
        "mine": queries.asked_or_written_by(service, user),
        "open": queries.open_requests(service),
        "decided": queries.ended(service),
    }
    here = wanted if wanted in rows else usual
    page = Paginator(queries.with_related(rows[here]), CARDS).get_page(request.GET.get("page"))
    return {
        "now": corrected_now(),
        "page": page,
        "moving": any(one.state == ApprovalState.OPEN for one in page.object_list),
        "here": here,
        "views": [one for one in VIEWS if one[0] != "me" or _may(request)],
        "marks": APPROVAL_MARKS,
        "more": f"{urlencode({'show': here})}&",
    }


@service_page("see", of=ASKED)
def approval_request(request: HttpRequest, _service: Service, found: ApprovalRequest) -> HttpResponse:
    return _page(request, found)


def _page(request: HttpRequest, found: ApprovalRequest, *, wrong: str = "", typed: str = "") -> HttpResponse:
    user: Any = request.user
    is_open = found.state == ApprovalState.OPEN
    context = {
        "asked": found,
        "seen": details.details_of(found),
        **beside_the_question(request, found),
        "status": queries.status_of(found.send),
        "decisions": found.decisions.all(),
        "mark": APPROVAL_MARKS[ApprovalState(found.state)],
        "obstacle": answers.obstacle(found, user=user) if is_open else "",
        "late": is_open and answers.too_late(found, now=corrected_now()),
        "newer": ApprovalRequest.objects.filter(previous=found).order_by("-pk").first(),
        "can_take_back": found.send.state in (SendState.AWAITING, SendState.SCHEDULED),
        "comments": comments_card(request, found.send, back="approval"),
        "wrong": wrong,
        "typed": typed,
        **_coming_again(found),
    }
    return render(request, "approvals/request.html", context, status=422 if wrong else 200)


@service_page("approve", WRITE, of=ASKED)
def approval_approve(request: HttpRequest, service: Service, found: ApprovalRequest) -> HttpResponse:
    """Approves what was shown: the page posts its fingerprint."""
    comment = text_of(request.POST, "comment", most=answers.LONGEST_COMMENT)
    try:
        last = answers.approve(found, by=actor(request), seen=request.POST.get("seen", ""), comment=comment)
    except answers.ChangedSince as problem:
        messages.error(request, str(problem))
        newest = requests.latest_of(found.send) or found
        return redirect("approval", service=service.slug, pk=newest.pk)
    except answers.ApprovalRefused as problem:
        return _page(request, ASKED.get(pk=found.pk), wrong=str(problem), typed=comment)
    more = _("You approved it. It needs one more approval.")
    messages.success(request, " ".join((_("Approved."), _goes(found))) if last else more)
    if "following" in request.POST:
        given = standing.give(found, by=actor(request), more=row_of(request.POST, "more") or 0)
        says = _(
            "The occurrences to come could not be approved: what it says was changed meanwhile, or it has ended."
        )
        if given is not None:
            says = ngettext(
                "You approved the occurrences to come too, to %(n)s person at most, until %(day)s.",
                "You approved the occurrences to come too, to %(n)s people at most, until %(day)s.",
                given.most,
            ) % {
                "n": number(given.most),
                "day": moment(timezone.localtime(given.expires_at), "j F Y"),
            }
        messages.info(request, says)
    return redirect("approval", service=service.slug, pk=found.pk)


def _coming_again(found: ApprovalRequest) -> dict[str, Any]:
    """Of a send that comes again: which one it is, whose word stands, and how many more people one can agree to."""
    occurrence = standing.occurrence_of(found)
    if occurrence is None:
        return {"occurrence": None}
    given = standing.in_force(occurrence.recurring)
    people = found.snapshot["recipients"]
    return {
        "occurrence": occurrence,
        "recurring": occurrence.recurring,
        "can_follow": occurrence.draft_id == occurrence.recurring.draft_id
        and occurrence.recurring.state != RecurringSend.State.ENDED,
        "not_covered": [(one, why) for one in given if (why := standing.asks_again(one, found))],
        "choices_of_more": [
            (more, people + people * more // 100, more == standing.USUALLY_MORE) for more in standing.MORE
        ],
        "standing_days": standing.VALID.days,
    }


def _goes(found: ApprovalRequest) -> str:
    found.send.refresh_from_db(fields=["state", "due_at"])
    if found.send.state == SendState.SCHEDULED:
        due = timezone.localtime(found.send.due_at)
        said = _("It goes out on %(day)s at %(time)s.")
        return said % {"day": moment(due, "j F"), "time": moment(due, "H:i T")}
    return _("It is being sent.")


@service_page("approve", WRITE, of=ASKED)
def approval_reject(request: HttpRequest, service: Service, found: ApprovalRequest) -> HttpResponse:
    comment = text_of(request.POST, "comment", most=answers.LONGEST_COMMENT)
    try:
        answers.reject(found, by=actor(request), seen=request.POST.get("seen", ""), comment=comment)
    except answers.ApprovalRefused as problem:
        return _page(request, ASKED.get(pk=found.pk), wrong=str(problem), typed=comment)
    messages.success(request, _("Rejected. The send is cancelled; its author reads your reason here."))
    return redirect("approval", service=service.slug, pk=found.pk)


class TakeBack(ConfirmView):
    """Cancel a send that awaits approval, and change its draft."""

    act = "compose"
    model = Send
    back = "send"
    back_to_thing = True
    crumb = pgettext_lazy("noun", "Send")
    refusals = (answers.ApprovalRefused,)

    def over(self) -> Said | None:
        waits = self.request.method == "POST" or self.thing.state in calendar.BEFORE
        return None if waits else info(_("Nothing is left to take back."))

    def confirmation(self) -> Confirmation:
        many, status = self.thing.recipients, queries.status_of(self.thing)
        given = status.given if status else 0
        from_draft = Draft.objects.filter(send=self.thing).exists()
        kept = _("Its draft opens, as it was sent: change it, and ask again.")
        gone = _("This cannot be undone: it was not made from a draft. To ask again, duplicate it.")
        unsent = ngettext("%(n)s message will not be sent.", "%(n)s messages will not be sent.", many)
        lost = ngettext(
            "%(n)s approval given so far will not count for it any more.",
            "%(n)s approvals given so far will not count for it any more.",
            given,
        )
        button = ngettext("Take %(n)s message back", "Take %(n)s messages back", many)
        return Confirmation(
            _("Take “%(name)s” back?") % {"name": self.thing.name},
            unsent % {"n": number(many)},
            *([lost % {"n": number(given)}] if given else []),
            kept if from_draft else gone,
            button=button % {"n": number(many)},
        )

    def confirmed(self, form: Any) -> HttpResponse | None:
        draft = answers.take_back(self.thing, by=self.by)
        words = _("Change the draft, then ask again.") if draft else _("It was not made from a draft.")
        messages.success(self.request, " ".join((_("Taken back: nothing of it is sent."), words)))
        return redirect("draft", service=self.service.slug, pk=draft.pk) if draft else None


@service_page("compose", WRITE, of=Send)
def send_ask_again(request: HttpRequest, service: Service, found: Send) -> HttpResponse:
    asked = requests.ask_again(found, by=actor(request))
    if asked is None:
        messages.info(request, _("There was nothing to ask again."))
        return redirect("send", service=service.slug, pk=found.pk)
    messages.success(request, _("Asked again."))
    return redirect("approval", service=service.slug, pk=asked.pk)


def _may(request: HttpRequest) -> bool:
    return "approve" in request.may  # type: ignore[attr-defined]
