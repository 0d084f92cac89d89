"""The replies inbox: the list of conversations, and replies as a file."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.access import WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.forms.texts import text_of
from portal.limits import PAGE
from portal.presenters.downloads import csv_download
from sms.models import InboundMessage, Send, Service
from sms.models.audit import audit
from sms.models.label import LABEL_LENGTH
from sms.models.sql.clock import corrected_now
from sms.sends.replies import inbox
from sms.sends.replies.export import csv_of

ASIDE = 20  # SMS that belong to no conversation; older ones come as these are acted upon


@service_page("see")
def replies(request: HttpRequest, service: Service) -> HttpResponse:
    aside = list(inbox.set_aside(service)[:ASIDE])
    return render(request, "replies/list.html", _context(request, service) | {"aside": aside})


@service_page("see")
def replies_part(request: HttpRequest, service: Service) -> HttpResponse:
    """The part of the page that is fetched every few seconds."""
    return render(request, "replies/_list.html", _context(request, service))


@service_page("export", WRITE)
def replies_export(request: HttpRequest, service: Service) -> StreamingHttpResponse:
    """All that came in, as CSV. It holds whole numbers, so the audit records who took it."""
    rows = InboundMessage.objects.filter(service=service)
    by, slug = actor(request), service.slug
    audit("reply.exported", by=by, service=slug, noun="reply", rows=rows.count())
    return csv_download(csv_of(rows), name=f"replies-{slug}{service.file_mark}.csv")


def _context(request: HttpRequest, service: Service) -> dict[str, Any]:
    wanted = request.GET.get("show", "open")
    wanted = wanted if wanted in inbox.FILTERS else "all"
    word = text_of(request.GET, "label", most=LABEL_LENGTH)
    label = service.labels.filter(word=word).first() if word else None
    answered = key_of(request.GET, "send")
    send = Send.objects.filter(service=service, pk=answered).first() if answered else None
    rows = inbox.conversations(service, wanted, user=request.user, label=label, send=send)
    before = key_of(request.GET, "before")
    if before:
        rows = rows.filter(last_inbound_id__lt=before)
    found = list(rows.select_related("assigned_to").prefetch_related("labels")[: PAGE + 1])
    shown = found[:PAGE]
    narrowed = {"label": label.word if label else "", "send": send.pk if send else ""}
    narrowed = {name: value for name, value in narrowed.items() if value}
    query = urlencode({"show": wanted, **narrowed})
    return {
        "now": corrected_now(),
        "rows": inbox.listed(shown),
        "next_before": shown[-1].last_inbound_id if len(found) > PAGE else None,
        "query": query,
        "first_page": not before,
        "figures": inbox.figures(service, user=request.user),
        "filters": inbox.FILTERS | {"all": _("All")},
        "wanted": wanted,
        "label": label,
        "send": send,
        "narrowed": urlencode(narrowed),
    }
