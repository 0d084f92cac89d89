"""Sends: the list, one send live, its rejects, and cancelling it in time."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from portal.access import actor, service_page
from portal.forms.message_filter import SendMessagesForm
from portal.forms.numbers import key_of
from portal.forms.send_search import ANSWERS, TESTS, SendSearch
from portal.limits import CARDS
from portal.lists import matching
from portal.models import User
from portal.presenters.bars import surest_first
from portal.presenters.click_course import click_course
from portal.presenters.comments_card import comments_card
from portal.presenters.downloads import csv_download
from portal.presenters.keyset import keyset_page
from portal.presenters.list_columns import chosen_columns
from portal.presenters.rejected_rows import rejected_rows
from portal.presenters.saved_filters import saved_filters
from portal.presenters.send_state import APPROVAL_MARKS, may_send_again
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, asking
from portal.views.send_report import shows_whole_numbers
from sms.audiences.files import rejects_csv
from sms.compose import labels
from sms.compose.approval import queries, rules
from sms.compose.rejects import rejected_groups
from sms.models import (
    UNFINISHED,
    Actor,
    ApiKey,
    ApprovalState,
    AuditEvent,
    ClickFigures,
    Draft,
    KeptList,
    Occurrence,
    Preparation,
    Send,
    SendKeeping,
    SendState,
    Service,
    ShownState,
)
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends import bulk, control, holds, report
from sms.sends import progress as sends_progress
from sms.sends.cancel import cancel
from sms.sends.messages import PATIENCE, FoundMessages, messages_of
from sms.sends.replies import inbox
from sms.sends.speed import speed_of
from sms.webex import codes
from sms.words import number

MESSAGES = 50
LIVE_PATIENCE = 0.1  # seconds of looking for rare ones; the rows that a press has found stay until the next
SENDS = Send.objects.select_related(
    "service", "sender", "template", "policy_group", "link_domain", "created_by"
)


@service_page("see")
def sends(request: HttpRequest, service: Service) -> HttpResponse:
    search = SendSearch(request.GET, queryset=Send.objects.filter(service=service))
    listed, wanted = _listed(request, search), search.wanted
    known, people = labels.labels_of(service), _makers(service)
    senders = list(service.senders.filter(Q(active=True) | Q(pk=wanted.get("sender") or 0)))
    offered = {
        "label": set(known),
        "by": {value for value, unused in people},
        "sender": {str(pk) for pk in service.senders.values_list("pk", flat=True)},
    }
    narrowing: dict[str, Any] = {
        "states": ShownState.choices,
        "labels": sorted({*known, *filter(None, [wanted.get("label")])}),
        "people": people,
        "senders": senders,
        "kept": saved_filters(request, KeptList.SENDS, query=search.address, offered=offered),
        "matching": len(matching("sends", search.address, service, most=bulk.MOST)) if listed["rows"] else 0,
        "tests": [("", _("Tests of drafts too")), *TESTS],
        "answers": [("", _("Without answers")), *ANSWERS],
        "narrows": bool(listed["rows"] or wanted) or service.sends.exists(),
        "drafts": service.drafts.filter(Draft.open_ones()).select_related("created_by")[:10],
    }
    return render(request, "sends/list.html", listed | narrowing)


@service_page("see")
def sends_part(request: HttpRequest, service: Service) -> HttpResponse:
    """The rows, which the page fetches every few seconds while one of them moves."""
    search = SendSearch(request.GET, queryset=Send.objects.filter(service=service))
    return render(request, "sends/_list.html", _listed(request, search))


def _listed(request: HttpRequest, search: SendSearch) -> dict[str, Any]:
    related = search.qs.select_related("sender", "template", "created_by").prefetch_related("labels")
    page = keyset_page(list(related.order_by("-id")[: CARDS + 1]), CARDS)
    rows = sends_progress.progress_of_page(page.rows)
    return {
        "now": corrected_now(),
        "rows": rows,
        "held": holds.held_among(page.rows),
        "moving": any(not row.settled for row in rows),
        "next_before": page.next_key,
        "wanted": search.wanted,
        "address": search.address,
        "asked": urlencode(search.wanted),
        "columns": chosen_columns(request.user, KeptList.SENDS),
        "may_choose": not {"cancel", "compose", "report"}.isdisjoint(request.may),  # type: ignore[attr-defined]
    }


def _makers(service: Service) -> list[tuple[str, str]]:
    """Who may have made a send: the people of the service, then its programs."""
    people = User.objects.filter(memberships__service=service).distinct().order_by("email")
    keys = ApiKey.objects.filter(service=service).order_by("name").values_list("name", flat=True).distinct()
    return [
        *((f"user:{one.pk}", one.shown_name) for one in people),
        *((f"key:{name}", _("%(key)s (program)") % {"key": name}) for name in keys),
    ]


def _progress(found: Send) -> dict[str, object]:
    progress, now = sends_progress.progress_of(found), corrected_now()
    return {
        "send": found,
        "progress": progress,
        "counts": surest_first(progress.counts),
        "failures": [(codes.lookup(code), count) for code, count in found.failures()],
        "can_cancel": found.state in UNFINISHED,
        "preparing": Preparation.objects.filter(send=found).first()
        if found.state == SendState.PREPARING
        else None,
        "now": now,
        "can_send_again": may_send_again(found),
        "clicks": ClickFigures.of_send(found.pk) if found.tracks_clicks else None,
        "clicks_course": click_course(found) if found.tracks_clicks else None,
        "speed": speed_of(progress, now=now),
        **_kept_back(found),
    }


def _messages(request: HttpRequest, found: Send, *, patience: float = PATIENCE) -> dict[str, object]:
    """A page of its messages; none where the filter was not understood."""
    form = SendMessagesForm(request.GET, may_reveal="reveal" in request.may)  # type: ignore[attr-defined]
    listed = FoundMessages([])
    after = key_of(request.GET, "after") or 0
    if form.is_valid():
        listed = messages_of(found, form.selection, after=after, page=MESSAGES, patience=patience)
    page = keyset_page(listed.messages, MESSAGES)
    return {
        "filter": form,
        "rows": page.rows,
        "next_after": page.next_key or listed.looked_to,
        "looked_to": None if page.next_key else listed.looked_to,
        "problem": listed.problem,
        "asked": urlencode({**form.chosen, **({"after": after} if after else {})}),
    }


def _kept_back(found: Send) -> dict[str, object]:
    """What keeps an unfinished send back: holds, the stage of its ramp, and the night."""
    if found.state not in UNFINISHED:
        return {"holds": [], "own_hold": None, "stage": None, "night": None}
    held = sorted(holds.holds_on(found), key=lambda one: one.send_id is None)  # its own first
    return {
        "holds": held,
        "own_hold": next((one for one in held if one.send_id), None),
        "stage": sends_progress.stage_of(found),
        "night": None
        if held or found.service.paused_at
        else sends_progress.night_of(found, now=corrected_now()),
    }


@service_page("see", of=SENDS)
def send(request: HttpRequest, _service: Service, found: Send) -> HttpResponse:
    context = {
        **_progress(found),
        **_messages(request, found),
        **_approval(found),
        "comments": comments_card(request, found),
        "replies": inbox.replies_to(found),
        "occurrence": Occurrence.objects.filter(send=found).select_related("recurring").first(),
        "rejected_groups": rejected_groups(found) if found.rejected else [],
        "missing_columns": report.missing_columns(found),
        "whole_numbers": shows_whole_numbers(request, found),
        "keeping": SendKeeping.objects.filter(pk=found.pk).first(),
        "trail": AuditEvent.objects.filter(noun="send", noun_key=str(found.pk)).order_by("id"),
    }
    return render(request, "sends/detail.html", context)


def _approval(found: Send) -> dict[str, object]:
    """Who was asked and what they answered; empty without a request."""
    status = queries.status_of(found)
    if status is None:
        return {"approval": None}
    asked = status.request
    return {
        "approval": status,
        "approval_mark": APPROVAL_MARKS[ApprovalState(asked.state)],
        "decisions": asked.decisions.all(),
        "asked_of": rules.eligible(found.service, without=asked.authors.values_list("pk", flat=True)),
    }


@service_page("see", of=SENDS)
def send_progress(request: HttpRequest, _service: Service, found: Send) -> HttpResponse:
    """The parts of the page that are fetched every two seconds: the figures, and the messages that stood there with them."""
    listed = _messages(request, found, patience=LIVE_PATIENCE)
    return render(request, "sends/_live.html", {**_progress(found), **listed, "live": True})


def _ask_cancel(send: Send) -> Confirmation | Said:
    waiting = control.at_stake(send).messages or (send.recipients if send.state == SendState.PREPARING else 0)
    if send.state not in UNFINISHED:
        return info(_("Nothing is left to cancel."))
    gone = max(send.recipients - waiting, 0)
    left = ngettext("%(n)s message will never be sent.", "%(n)s messages will never be sent.", waiting)
    handed = ngettext(
        "%(n)s message went to Webex Connect already and cannot be called back.",
        "%(n)s messages went to Webex Connect already and cannot be called back.",
        gone,
    )
    button = ngettext("Cancel %(n)s message", "Cancel %(n)s messages", waiting)
    return Confirmation(
        _("Cancel “%(name)s”?") % {"name": send.name},
        left % {"n": number(waiting)},
        *([handed % {"n": number(gone)}] if gone else []),
        _("This cannot be undone. To stop for a while, pause it instead."),
        button=button % {"n": number(waiting)} if waiting else _("Cancel it"),
    )


@asking("cancel", Send, asks=_ask_cancel, back="send", crumb=pgettext_lazy("noun", "Send"))
def send_cancel(send: Send, by: Actor) -> Said:
    stopped = cancel(send, by=by)
    if stopped:
        says = ngettext(
            "Cancelled: %(n)s message will not be sent.",
            "Cancelled: %(n)s messages will not be sent.",
            stopped,
        )
        return Said(says % {"n": number(stopped)})
    return info(_("Nothing was left to cancel."))


@service_page("see", of=SENDS)
def send_rejects(request: HttpRequest, _service: Service, found: Send) -> StreamingHttpResponse:
    """The rows that became no message."""
    audit("send.rejects_exported", found, by=actor(request), rows=found.rejected)
    rows = rejected_rows(request, found)
    return csv_download(rejects_csv(rows), name=f"rejects-send-{found.pk}{found.service.file_mark}.csv")
