"""What a segment costs by country: the list, and its replacement by an admin."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from portal.access import WRITE, actor, service_page
from portal.forms.prices import PricesForm
from portal.presenters.downloads import csv_download
from sms.catalogue import prices
from sms.models import Service


@service_page("see")
def price_list(request: HttpRequest, service: Service) -> HttpResponse:
    return _page(request, service, PricesForm(initial={"written": prices.as_csv(service)}))


@service_page("configure", WRITE)
def price_replace(request: HttpRequest, service: Service) -> HttpResponse:
    """Put a whole list in the place of the one before, or nothing where it has a mistake."""
    form = PricesForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, service, form)
    rows = form.cleaned_data["rows"]
    prices.replace(service, rows, by=actor(request))
    messages.success(request, f"Saved: {len(rows):,} {'price' if len(rows) == 1 else 'prices'}.")
    return redirect("prices", service=service.slug)


def _page(request: HttpRequest, service: Service, form: PricesForm) -> HttpResponse:
    context = {"form": form, "prices": service.prices.all()}
    return render(request, "catalogue/prices.html", context, status=422 if form.errors else 200)


@service_page("see")
def price_download(request: HttpRequest, service: Service) -> StreamingHttpResponse:
    del request
    return csv_download([prices.as_csv(service)], name=f"prices-{service.slug}.csv")
