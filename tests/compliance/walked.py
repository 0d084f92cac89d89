"""Every address that can be read, with every thing of a service that it can name: for tests that look at all of what is shown."""

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import QuerySet

from portal.models import Invitation, User
from sms.api.v1.urls import RESOURCES
from sms.models import (
    ApprovalRequest,
    AuditEvent,
    Callback,
    InboundMessage,
    Message,
    ProbeStep,
    ReportFile,
    ReportSchedule,
    Service,
    StandingApproval,
    TemplateVersion,
)
from sms.sends.person.identity import key_of
from tests.support.every_page import SERVICE_PAGES
from tests.support.routes import patterns

NOUNS = {
    "messages": lambda service: Message.objects.filter(send__service=service),
    "inbound": lambda service: InboundMessage.objects.filter(service=service),
    "replies": lambda service: service.conversations.all(),
    "callback-log": lambda service: Callback.objects.filter(endpoint__service=service),
    "callbacks": lambda service: service.callback_endpoints.all(),
    "versions": lambda service: TemplateVersion.objects.filter(template__service=service),
    "approvals": lambda service: ApprovalRequest.objects.filter(service=service),
    "people": lambda service: User.objects.filter(memberships__service=service).distinct(),
    "invitations": lambda service: Invitation.objects.filter(service=service),
    "tenant": lambda service: ProbeStep.objects.filter(probe__service=service),
    "audit": lambda service: AuditEvent.objects.filter(service_slug=service.slug),
    "domains": lambda service: service.link_domains.all(),
    "personal-data": lambda service: service.erasures.all(),
    "bulk": lambda service: service.bulk_acts.all(),
    "filters": lambda service: service.saved_filters.all(),
    "report-files": lambda service: ReportFile.objects.filter(service=service),
    "recurring": lambda service: service.recurring_sends.all(),
    "standing-approvals": lambda service: StandingApproval.objects.filter(recurring__service=service),
    "report-schedules": lambda service: ReportSchedule.objects.filter(service=service),
}


def things(noun: str, service: Service) -> "QuerySet":
    """All of a service that a page's address calls so."""
    found = NOUNS[noun](service) if noun in NOUNS else getattr(service, noun.replace("-", "_")).all()
    return found.order_by("pk")


def pages(service: Service, *, most: int = 5) -> Iterator[tuple[str, str]]:
    """(name, address) of each page of a service, with up to `most` things of it."""
    for path, name, _ in SERVICE_PAGES:
        plain = "/" + path.replace("<slug:service>", service.slug).replace("<slug:step>", "backup")
        if "<slug:person_key>" in plain:
            numbers = (
                Message.objects.filter(send__service=service).order_by("pk").values_list("msisdn", flat=True)
            )
            keys = [key for key in (key_of(service, one) for one in dict.fromkeys(numbers)) if key]
            yield from ((name, plain.replace("<slug:person_key>", key)) for key in keys[:most])
            continue
        if "<int:pk>" not in plain:
            yield name, plain
            continue
        noun = path.removeprefix("s/<slug:service>/").removeprefix("settings/").split("/")[0]
        for pk in things(noun, service).values_list("pk", flat=True)[:most]:
            yield name, plain.replace("<int:pk>", str(pk))


def pages_of_the_admin(*, most: int = 4) -> Iterator[tuple[str, str]]:
    yield "admin", "/admin/"
    for model in admin.site._registry:
        at = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        yield f"{at}/", f"{at}/"
        for pk in model._base_manager.order_by("pk").values_list("pk", flat=True)[:most]:
            yield f"{at}/change/", f"{at}/{pk}/change/"
            yield f"{at}/history/", f"{at}/{pk}/history/"


def addresses_of_the_api(service: Service, *, most: int = 4) -> Iterator[tuple[str, str]]:
    """What a key can read."""
    for path, name, _ in patterns():
        if not path.startswith("api/v1/") or path == "api/v1/":
            continue
        if "<int:pk>" not in path:
            yield name, f"/{path}"
            continue
        rows = RESOURCES[path.split("/")[2]].queryset
        of_service = RESOURCES[path.split("/")[2]].of_service
        for pk in rows.filter(**{of_service: service}).order_by("pk").values_list("pk", flat=True)[:most]:
            yield path, "/" + path.replace("<int:pk>", str(pk))
