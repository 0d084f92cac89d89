"""The page of one person: everything to and from one number of a service."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import service_page
from portal.limits import CARDS
from portal.presenters.person_timeline import shown
from sms.models import Service
from sms.sends.person.identity import person_of
from sms.sends.person.timeline import PlaceInTimeline, timeline_of


@service_page("see")
def person_page(request: HttpRequest, service: Service, key: str) -> HttpResponse:
    person = person_of(service, key)
    if person is None:
        raise Http404
    after = PlaceInTimeline.read(request.GET.get("before", ""))
    timeline = timeline_of(person, after=after, page=CARDS)
    context = {
        "person": person,
        "entries": [shown(one) for one in timeline.entries],
        "next_before": timeline.older,
        "from_start": after == PlaceInTimeline(),
        "problem": timeline.problem,
    }
    return render(request, "people/page.html", context)
