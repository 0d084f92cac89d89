"""The search of everything in a service, as a page and as what its dialog shows; and the list of keyboard shortcuts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from portal.access import FORM, service_page
from portal.forms.sealed_search import address_of_words, is_typed, words_of
from portal.search.gather import search as find
from portal.search.shortcuts import shortcuts_of
from sms.models import Service


@service_page("see", FORM)
def search(request: Any, service: Service) -> HttpResponse:
    """What is looked for is posted. The dialog is answered at once, a page opens at an address that says it sealed."""
    text = words_of(request, service)
    if is_typed(request) and not request.htmx:
        return redirect(address_of_words(request.path, text, service))
    context = {"q": text, "answer": find(service, text, may=request.may)}
    if request.htmx:  # without what every page asks for
        return HttpResponse(render_to_string("search/_dialog.html", context))
    return render(request, "search/page.html", context)


@service_page("see")
def shortcuts(request: HttpRequest, service: Service) -> HttpResponse:
    may: frozenset[str] = request.may  # type: ignore[attr-defined]
    template = "search/_shortcuts.html" if request.headers.get("HX-Request") else "search/shortcuts.html"
    return render(request, template, {"shortcuts": list(shortcuts_of(service, may=may))})
