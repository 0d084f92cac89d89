"""The catalogue on one page: senders, templates, policy groups and short-link domains, with what is paused."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import service_page
from sms.models import Hold, Service


@service_page("see")
def catalogue(request: HttpRequest, service: Service) -> HttpResponse:
    held = Hold.objects.active().filter(service=service)
    context = {
        "held_senders": {one.sender_id: one for one in held if one.sender_id},
        "held_domains": {one.link_domain_id: one for one in held if one.link_domain_id},
        "senders": service.senders.all(),
        "templates": service.templates.all(),
        "policy_groups": service.policy_groups.all(),
        "link_domains": service.link_domains.select_related("region"),
    }
    return render(request, "catalogue/list.html", context)
