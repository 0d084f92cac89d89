"""`/api/docs/`: the documentation of the partner API. Open to everybody, because partners have no account here."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from portal.machines import without_parameters
from portal.partner_docs import drawing, reader
from portal.partner_docs import postman as postman_format
from portal.partner_docs.pages import pages, sections
from sms.api.own_address import address_for


@login_not_required
@require_safe
def docs_start(request: HttpRequest) -> HttpResponse:
    wheel = reader.client_wheel()
    return render(request, "partner_docs/start.html", _frame(request) | {"wheel": wheel and wheel.name})


@login_not_required
@require_safe
def docs_page(request: HttpRequest, page: str) -> HttpResponse:
    found = pages().get(page)
    if found is None:
        raise Http404("no such page")
    drawn, frame = drawing.drawn(found), _frame(request)
    html = mark_safe(reader.filled(drawn.html, frame["address"], frame["keys"]))  # noqa: S308 - our own file, drawn with raw HTML off, filled with escaped text
    named = list(pages().values())
    at = named.index(found)
    context = {
        "page": found,
        "html": html,
        "headings": [one for one in drawn.headings if one.level == 2],
        "before": named[at - 1] if at else None,
        "after": named[at + 1] if at + 1 < len(named) else None,
    }
    return render(request, "partner_docs/page.html", frame | context)


@login_not_required
@require_safe
def postman(request: HttpRequest) -> HttpResponse:
    """The collection, made from the OpenAPI document when it is asked for."""
    if refused := without_parameters(request):
        return refused
    made = postman_format.collection(postman_format.document(), address_for(request))
    return JsonResponse(made, json_dumps_params={"indent": 2, "ensure_ascii": False})


@login_not_required
@require_safe
def client(request: HttpRequest, wheel: str) -> FileResponse | HttpResponse:
    """The Python client under the name that pip asks for."""
    if refused := without_parameters(request):
        return refused
    found = reader.client_wheel()
    if found is None or found.stem != wheel:
        raise Http404("no such file")
    return FileResponse(found.open("rb"), content_type="application/octet-stream")


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "sections": sections(),
        "address": address_for(request),
        "keys": reader.keys_for(request),
    }
