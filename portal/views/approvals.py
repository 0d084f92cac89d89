"""Approvals: the lists of requests, one request with what changed since the last, the answers, and taking a send back."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import WRITE, actor, service_page
from portal.presenters.send_state import APPROVAL_MARKS
from sms.compose.approval import details, queries, requests
from sms.models import ApprovalRequest, ApprovalState, SendState, Service
from sms.sends import answers

PAGE = 30
VIEWS = (("me", "Needs me"), ("mine", "Mine"), ("open", "All open"), ("decided", "Decided"))


@service_page("see")
def approvals(request: HttpRequest, service: Service) -> HttpResponse:
    """Four lists of requests: what this person can answer, what they asked, what is open, and what has ended."""
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
    page = Paginator(queries.with_related(rows[here]), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "here": here, "views": VIEWS, "marks": APPROVAL_MARKS, "more": f"show={here}&"}
    return render(request, "approvals/list.html", context)


@service_page("see")
def approval_request(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _page(request, service, pk)


def _page(
    request: HttpRequest, service: Service, pk: int, *, wrong: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    found = _find(service, pk)
    user: Any = request.user
    context = {
        "asked": found,
        "seen": details.details_of(found),
        "status": queries.status_of(found.send),
        "decisions": found.decisions.all(),
        "mark": APPROVAL_MARKS[ApprovalState(found.state)],
        "obstacle": answers.obstacle(found, user=user) if found.state == ApprovalState.OPEN else "",
        "late": found.state == ApprovalState.OPEN and answers.too_late(found, now=timezone.now()),
        "newer": ApprovalRequest.objects.filter(previous=found).order_by("-pk").first(),
        "can_take_back": found.send.state in (SendState.AWAITING, SendState.SCHEDULED),
        "wrong": wrong,
        "typed": typed,
    }
    return render(request, "approvals/request.html", context, status=status)


@service_page("approve", WRITE)
def approval_approve(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Approves what was shown: the page posts its fingerprint."""
    found = _find(service, pk)
    comment = request.POST.get("comment", "")
    try:
        last = answers.approve(
            found,
            by=actor(request),
            seen=request.POST.get("seen", ""),
            comment=comment,
        )
    except answers.ChangedSince as problem:
        messages.error(request, str(problem))
        newest = requests.latest_of(found.send) or found
        return redirect("approval", service=service.slug, pk=newest.pk)
    except answers.ApprovalRefused as problem:
        return _page(request, service, pk, wrong=str(problem), typed=comment, status=422)
    if last:
        messages.success(request, f"Approved. {_goes(found)}")
    else:
        messages.success(request, "You approved it. It needs one more approval.")
    return redirect("approval", service=service.slug, pk=pk)


def _goes(found: ApprovalRequest) -> str:
    found.send.refresh_from_db(fields=["state", "due_at"])
    if found.send.state == SendState.SCHEDULED:
        return f"It goes out on {timezone.localtime(found.send.due_at):%-d %B at %H:%M %Z}."
    return "It is being sent."


@service_page("approve", WRITE)
def approval_reject(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    comment = request.POST.get("comment", "")
    try:
        answers.reject(
            _find(service, pk),
            by=actor(request),
            seen=request.POST.get("seen", ""),
            comment=comment,
        )
    except answers.ApprovalRefused as problem:
        return _page(request, service, pk, wrong=str(problem), typed=comment, status=422)
    messages.success(request, "Rejected. The send is cancelled; its author reads your reason here.")
    return redirect("approval", service=service.slug, pk=pk)


@service_page("compose", WRITE)
def send_take_back(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Cancel a send that awaits approval, and change its draft."""
    found = get_object_or_404(service.sends, pk=pk)
    try:
        draft = answers.take_back(found, by=actor(request))
    except answers.ApprovalTooLate as problem:
        messages.error(request, str(problem))
        return redirect("send", service=service.slug, pk=pk)
    if draft is None:
        messages.success(request, "Taken back: nothing of it is sent. It was not made from a draft.")
        return redirect("send", service=service.slug, pk=pk)
    messages.success(request, "Taken back: nothing of it is sent. Change the draft, then ask again.")
    return redirect("draft", service=service.slug, pk=draft.pk)


@service_page("compose", WRITE)
def send_ask_again(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(service.sends, pk=pk)
    asked = requests.ask_again(found, by=actor(request))
    if asked is None:
        messages.info(request, "There was nothing to ask again.")
        return redirect("send", service=service.slug, pk=pk)
    messages.success(request, "Asked again.")
    return redirect("approval", service=service.slug, pk=asked.pk)


def _find(service: Service, pk: int) -> ApprovalRequest:
    rows = ApprovalRequest.objects.filter(service=service)
    related = ("send__service", "send__sender", "previous", "asked_by", "draft")
    return get_object_or_404(rows.select_related(*related), pk=pk)


def _may(request: HttpRequest) -> bool:
    return "approve" in request.may  # type: ignore[attr-defined]
