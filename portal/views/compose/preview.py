"""The preview beside the text, fetched by the script at every key."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string

from portal.access import WRITE, service_page
from portal.presenters.compose_preview import preview_context
from sms.models import Draft, Service

PARTS = {
    "preview": "_preview.html",
    "senders": "_senders.html",
    "when": "_when.html",
    "rows": "_rows.html",
    "odd": "_odd.html",
    "placeholders": "_placeholders.html",
}


@service_page("compose", WRITE)
def compose_preview(request: HttpRequest, service: Service) -> HttpResponse:
    return _answer(service, request.POST, Draft(service=service))


@service_page("compose", WRITE)
def draft_preview(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    files = ("upload", "version__upload", "version__mends__upload")
    rows = service.drafts.select_related(*files).defer(*(f"{file}__content" for file in files))
    return _answer(service, request.POST, get_object_or_404(rows, pk=pk))


def _answer(service: Service, typed: Mapping[str, Any], draft: Draft) -> HttpResponse:
    made = preview_context(service, typed, draft)
    parts = {name: render_to_string(f"compose/{template}", made) for name, template in PARTS.items()}
    return JsonResponse({"parts": parts, "said": made["said"], "replaced": made["preview"].replaced})
