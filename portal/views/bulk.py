"""One act for several rows of a list: chosen there, shown with what it would do, confirmed once, and what became of each row."""

import tempfile
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access import WRITE, actor, service_page
from portal.forms.texts import text_of
from portal.limits import upload_limits
from portal.lists import matching
from portal.views.button_base import error, info
from portal.views.send_report import shows_whole_numbers
from sms.compose import labels
from sms.models import BulkAct, Send, Service
from sms.models.sql.clock import corrected_now
from sms.sends import bulk
from sms.values.msisdn.mention import numbers_like

ACTS = BulkAct.objects.select_related("service")
LONGEST_LABELS = 400


@service_page("see", WRITE)
def bulk_choose(request: HttpRequest, service: Service) -> HttpResponse:
    """Keeps what was chosen and leads to the page that says what would happen. Nothing is done yet."""
    kind = bulk.KINDS.get(request.POST.get("kind", ""))
    if kind is None:
        error(_("Choose what to do with the rows.")).on(request)
        return redirect("sends", service=service.slug)
    if kind.act not in request.may:  # type: ignore[attr-defined]
        raise PermissionDenied
    given = text_of(request.POST, "labels", most=LONGEST_LABELS) if kind.takes_labels else ""
    things, more = _chosen(request, service, kind)
    words = labels.split(given)
    wrong = next(labels.problems(service, words), None) if kind.takes_labels else None
    if not things:
        error(_("Tick the rows first, or all that match.")).on(request)
    elif kind.takes_labels and not words:
        error(_("Write at least one label to add.")).on(request)
    elif wrong is not None:
        error(wrong.text).on(request)
    else:
        kept = bulk.choose(
            service, kind.key, things, user=request.user, given=given, more=more, now=corrected_now()
        )
        return redirect("bulk_act", service=service.slug, pk=kept.pk)
    return redirect(_list_as_it_was(request, service, kind, given))


def _list_as_it_was(request: HttpRequest, service: Service, kind: bulk.BulkKind, labels_given: str) -> str:
    """Narrowed down and ticked as before, so that what was wrong is all there is to do again."""
    shown = QueryDict(request.POST.get("query", "")[:2000], mutable=True)
    shown.setlist("row", request.POST.getlist("row")[: bulk.MOST])
    if "all" in request.POST:
        shown["all"] = "1"
    if labels_given and not numbers_like(labels_given):  # a number must be in no address
        shown["labels"] = labels_given
    return f"{reverse(kind.page, args=[service.slug])}?{shown.urlencode()}"


def _chosen(request: HttpRequest, service: Service, kind: bulk.BulkKind) -> tuple[list[int], bool]:
    """Ids, and whether there are more than one act takes."""
    if request.POST.get("all") == "1":
        found = matching(kind.page, request.POST.get("query", ""), service, most=bulk.MOST)
    else:
        ticked = request.POST.getlist("row")[: bulk.MOST + 1]
        wanted = [int(one) for one in ticked if one.isascii() and one.isdecimal() and len(one) < 19]
        found = list(kind.rows(service).filter(pk__in=wanted).values_list("pk", flat=True))
        found.sort(key=wanted.index)
    return found[: bulk.MOST], len(found) > bulk.MOST


def _mine(request: HttpRequest, act: BulkAct) -> bulk.BulkKind | None:
    """What it is, for the person who chose it and may still do it."""
    kind = bulk.KINDS.get(act.kind)
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    if kind is None or act.user_id != request.user.pk or kind.act not in held:
        error(_("Only the person who chose these rows can go on with them.")).on(request)
        return None
    return kind


@service_page("see", of=ACTS)
def bulk_act(request: HttpRequest, service: Service, act: BulkAct) -> HttpResponse:
    """Before it is confirmed, what it would do to each row as it is now; afterwards, what it did."""
    kind = _mine(request, act)
    if kind is None:
        return redirect("home", service=service.slug)
    request.place = kind.page  # type: ignore[attr-defined]
    begun = act.claimed_at is not None
    rows = bulk.outcome(act) if begun else bulk.outlook(act)
    context: dict[str, Any] = {
        "act": act,
        "kind": kind,
        "rows": rows,
        "does": sum(one.does for one in rows),
        "words": labels.split(act.given),
        "as_file": kind.does is None,
        "begun": begun,
        "still": begun and act.done_at is None,
        "stopped": act.claimed_at is not None
        and act.done_at is None
        and act.claimed_at < corrected_now() - bulk.DEAD_AFTER,
        "most": bulk.MOST,
    }
    return render(request, "bulk/page.html", context)


@service_page("see", WRITE, of=ACTS)
def bulk_run(request: HttpRequest, service: Service, act: BulkAct) -> HttpResponseBase:
    """Once: a second press finds it under way or done, and leads to the same page."""
    kind = _mine(request, act)
    if kind is None:
        return redirect("home", service=service.slug)
    if kind.does is None:
        return _file(request, act)
    if bulk.claim(act, now=corrected_now()):
        bulk.perform(act, by=actor(request), clock=corrected_now)
        messages.success(request, _("Done. What became of each row stands below."))
    elif not BulkAct.objects.filter(pk=act.pk, done_at=None).exists():
        info(_("This was done already.")).on(request)
    return redirect("bulk_act", service=service.slug, pk=act.pk)


def _file(request: HttpRequest, act: BulkAct) -> HttpResponseBase:
    rows = bulk.outlook(act)
    wanted: list[Send] = [one.thing for one in rows if one.does and isinstance(one.thing, Send)]
    if not wanted:
        error(_("None of these sends has a report that fits into the file.")).on(request)
        return redirect("bulk_act", service=act.service.slug, pk=act.pk)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    by, limits = actor(request), upload_limits()
    bulk.write_reports(
        file, wanted, by=by, limits=limits, whole=lambda send: shows_whole_numbers(request, send)
    )
    bulk.taken(act, rows, now=corrected_now())
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"reports-{act.pk}{act.service.file_mark}.zip",
        content_type="application/zip",
    )
