"""Every address that can be read, with every thing of one service that it can name: for tests that look at all of what is shown."""

import io
import zipfile
from collections.abc import Iterator

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.test import Client

from portal.models import Invitation, User
from sms.models import (
    ApprovalRequest,
    AuditEvent,
    Callback,
    InboundMessage,
    Message,
    ProbeStep,
    Service,
    TemplateVersion,
)
from sms.api.v1.urls import RESOURCES
from tests.support.every_page import SERVICE_PAGES
from tests.support.routes import patterns


def things(noun: str, service: Service) -> "QuerySet[Model]":
    """All of a service that a page's address calls so."""
    named = {
        "messages": lambda: Message.objects.filter(send__service=service),
        "inbound": lambda: InboundMessage.objects.filter(service=service),
        "callback-log": lambda: Callback.objects.filter(endpoint__service=service),
        "callbacks": lambda: service.callback_endpoints.all(),
        "versions": lambda: TemplateVersion.objects.filter(template__service=service),
        "approvals": lambda: ApprovalRequest.objects.filter(service=service),
        "people": lambda: User.objects.filter(memberships__service=service).distinct(),
        "invitations": lambda: Invitation.objects.filter(service=service),
        "tenant": lambda: ProbeStep.objects.filter(probe__service=service),
        "audit": lambda: AuditEvent.objects.filter(service_slug=service.slug),
        "domains": lambda: service.link_domains.all(),
        "personal-data": lambda: service.erasures.all(),
    }
    found = named[noun]() if noun in named else getattr(service, noun.replace("-", "_")).all()
    return found.order_by("pk")


def pages(service: Service, *, most: int = 12) -> Iterator[tuple[str, str]]:
    """(name, address) of each page of a service, with up to `most` things of it."""
    for path, name, _ in SERVICE_PAGES:
        plain = "/" + path.replace("<slug:service>", service.slug).replace("<slug:step>", "backup")
        if "<int:pk>" not in plain:
            yield name, plain
            continue
        noun = path.removeprefix("s/<slug:service>/").removeprefix("settings/").split("/")[0]
        for pk in things(noun, service).values_list("pk", flat=True)[:most]:
            yield name, plain.replace("<int:pk>", str(pk))
