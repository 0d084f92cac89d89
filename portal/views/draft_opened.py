"""A draft that a page has made opens next, with what has to be known about it."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from sms.models import Draft


def opened(
    request: HttpRequest, draft: Draft, warnings: Iterable[str] = (), *, page: str = "draft"
) -> HttpResponse:
    messages.success(request, _("Here is the draft. Nothing is sent before you say so."))
    for sentence in warnings:
        messages.warning(request, sentence)
    return redirect(page, service=draft.service.slug, pk=draft.pk)
