"""What a key asked for and was refused, the latest first: where an admin looks up the `Request-Id` that a partner sends them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import service_page
from portal.forms.numbers import key_of
from portal.forms.refused_requests import RefusedFilter
from portal.limits import PAGE
from portal.presenters.keyset import keyset_page
from sms.models import ApiKey, RefusedRequest, Service
from sms.models.paging import given
from sms.models.refused_request import KEPT, MOST


@service_page("configure", of=ApiKey)
def refused_requests(request: HttpRequest, _service: Service, key: ApiKey) -> HttpResponse:
    chosen = RefusedFilter(request.GET)
    asked = chosen.cleaned_data if chosen.is_valid() else {}
    before = key_of(request.GET, "before")
    found = RefusedRequest.objects.filter(given(**asked, pk__lt=before), key=key)
    page = keyset_page(found[: PAGE + 1], PAGE)
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "key": key,
        "rows": page.rows,
        "next_before": page.next_key,
        "query": query.urlencode(),
        "chosen": chosen,
        "most": MOST,
        "days": KEPT.days,
    }
    return render(request, "api_keys/refused.html", context)
