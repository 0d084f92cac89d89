"""What a service still needs before it can be relied upon. Shown on home and settings; gone when everything is done."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

from portal.models import Invitation
from sms.catalogue.connection import ConnectionVerdict
from sms.models import DomainState, Receipt, Sender, Service, ShortLinkDomain


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    done: bool
    title: str
    says: str
    page: str
    action: str


def open_steps(service: Service) -> list[ChecklistStep]:
    """All steps, done ones too, in their order; empty where nothing is left to do. One query."""
    of_service = {"service": OuterRef("pk")}
    known = (
        Service.objects.filter(pk=service.pk)
        .annotate(
            sender=Exists(Sender.objects.filter(**of_service, active=True)),
            receipt=Exists(Receipt.objects.filter(**of_service)),
            links=Exists(ShortLinkDomain.objects.filter(**of_service)),
            invited=Exists(Invitation.objects.filter(**of_service, accepted_at=None, withdrawn_at=None)),
            people=Count("memberships__user", distinct=True, filter=Q(memberships__user__is_active=True)),
        )
        .values("sender", "receipt", "links", "invited", "people", "receipt_asked_at", "check_verdict")
        .get()
    )
    steps = [
        ChecklistStep(
            known["check_verdict"] == ConnectionVerdict.WORKS,
            "Test the connection",
            "One click shows whether the address and the credentials are right.",
            "settings",
            "Open the connection",
        ),
        ChecklistStep(
            known["sender"],
            "Add a sender",
            "The numbers and names that are provisioned for your tenant.",
            "catalogue",
            "Open the catalogue",
        ),
        ChecklistStep(
            settings.PUBLIC_URL.startswith("https://") or service.is_sandbox,
            "Give Textdesk a public https address",
            f"PUBLIC_URL is {settings.PUBLIC_URL}, which Webex Connect cannot reach.",
            "receipts_page",
            "See the receipt address",
        ),
        ChecklistStep(
            known["receipt"] or known["receipt_asked_at"] is not None,
            "See a receipt arrive",
            "Send a test message to your own phone, or save the address as a webhook in Webex Connect.",
            "settings",
            "Send a test message",
        ),
        ChecklistStep(
            known["people"] > 1 or known["invited"],
            "Invite your team",
            "At least one colleague, so that a second person can approve, or help when you are away.",
            "people",
            "Invite a colleague",
        ),
    ]
    if known["links"]:
        steps.append(_domain(service))
    return [] if all(step.done for step in steps) else steps


def _domain(service: Service) -> ChecklistStep:
    return ChecklistStep(
        service.is_sandbox
        or service.link_domains.filter(
            active=True, state__in=(DomainState.HEALTHY, DomainState.DEGRADED)
        ).exists(),
        "Finish the short-link domain",
        "Its page says which of the four steps is next, and looks whether it works.",
        "link_domains",
        "Open the domains",
    )
