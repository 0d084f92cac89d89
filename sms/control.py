"""Control: pause, resume and stop, for one send, one sender, one short-link domain or a whole service. Each is one audited act.

Takes effect at the next look of a dispatcher, a few hundredths of a second while it is busy: arming reads the holds in its own
transaction, and what was armed but has not left comes back. Called by the pages, the API and the dispatcher's own rules.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sms import compose, wake
from sms.models import Actor, AuditEvent, Hold, Send, Sender, SendState, Service, ShortLinkDomain

Scope = Send | Sender | ShortLinkDomain
_FIELDS: tuple[tuple[type[Scope], str], ...] = (
    (Send, "send"),
    (Sender, "sender"),
    (ShortLinkDomain, "link_domain"),
)


def hold(
    scope: Scope, *, by: Actor, because: str, rule: str = "", facts: dict[str, int] | None = None
) -> Hold:
    """Post nothing more of it until the hold is lifted. Asking twice gives the hold that is there."""
    field = _field(scope)
    with transaction.atomic():
        # the row is locked, so that two people who press the button together make one hold
        type(scope)._default_manager.select_for_update(no_key=True).get(pk=scope.pk)
        standing = Hold.objects.active().filter(**{field: scope}).first()
        if standing is not None:
            return standing
        made = Hold.objects.create(
            service=scope.service,
            rule=rule,
            because=because[:300],
            facts=facts or {},
            placed_by=by.label,
            **{field: scope},
        )
        _record(f"{_noun(field)}.paused", scope, by=by, because=because[:300], rule=rule)
    return made


def lift(standing: Hold, *, by: Actor) -> bool:
    """Go on where it stopped; False where somebody was faster."""
    scope = standing.send or standing.sender or standing.link_domain
    with transaction.atomic():
        fresh = Hold.objects.active().filter(pk=standing.pk)
        if scope is None or not fresh.update(lifted_at=timezone.now(), lifted_by=by.label):
            return False
        _record(f"{_noun(_field(scope))}.resumed", scope, by=by, rule=standing.rule)
        wake.dispatch()
    return True


def stop(scope: Scope | Service, *, by: Actor) -> int:
    """Cancel whatever of it was not posted yet, for good; returns how many messages that stopped."""
    stopped = sum(compose.cancel(send, by=by) for send in _unfinished(scope))
    if not isinstance(scope, Send):
        noun = "service" if isinstance(scope, Service) else _noun(_field(scope))
        _record(f"{noun}.stopped", scope, by=by, stopped=stopped)
    return stopped


def pause_service(service: Service, *, by: Actor, because: str) -> bool:
    """Post nothing of a whole service; False where it is paused already."""
    with transaction.atomic():
        fresh = Service.objects.filter(pk=service.pk, paused_at__isnull=True)
        if not fresh.update(paused_at=timezone.now(), paused_because=because[:200]):
            return False
        _record("service.paused", service, by=by, because=because[:200])
    return True


def resume_service(service: Service, *, by: Actor) -> bool:
    """Let a whole service go on; what is held by itself stays held."""
    with transaction.atomic():
        paused = Service.objects.filter(pk=service.pk, paused_at__isnull=False)
        if not paused.update(paused_at=None, paused_because=""):
            return False
        _record("service.resumed", service, by=by)
        wake.dispatch()
    return True


def holds_on(send: Send) -> "QuerySet[Hold]":
    """What stops this send now, the latest first."""
    held = Hold.objects.active().select_related("send", "sender", "link_domain")
    return (
        held.filter(send=send)
        | held.filter(sender=send.sender_id)
        | held.filter(link_domain__isnull=False, link_domain=send.link_domain_id)
    )


def _unfinished(scope: Scope | Service) -> "QuerySet[Send]":
    sends = Send.objects.filter(state__in=(SendState.SCHEDULED, SendState.SENDING)).select_related("service")
    if isinstance(scope, Service):
        return sends.filter(service=scope)
    return sends.filter(pk=scope.pk) if isinstance(scope, Send) else sends.filter(**{_field(scope): scope})


def _field(scope: Scope) -> str:
    return next(field for kind, field in _FIELDS if isinstance(scope, kind))


def _noun(field: str) -> str:
    return field.replace("link_domain", "domain")


def _record(act: str, scope: Scope | Service, *, by: Actor, **details: object) -> None:
    service = scope if isinstance(scope, Service) else scope.service
    noun = "service" if isinstance(scope, Service) else _noun(_field(scope))
    AuditEvent.record(act, by=by, service_slug=service.slug, noun=noun, noun_key=scope.pk, **details)
