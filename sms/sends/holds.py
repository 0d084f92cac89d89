"""Holds: nothing more is posted of a send, of a sender or of a short-link domain until the hold is lifted.

A hold takes effect when a dispatcher next arms messages, a few hundredths of a second while it is busy: arming reads the holds in its own
transaction, and what was armed but has not left comes back. The dispatcher's own rules place holds too (`sms.dispatch.watch`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet

from sms.callbacks import events
from sms.ledger import wakeups
from sms.models import UNFINISHED, Actor, Hold, Send, Sender, Service, ShortLinkDomain
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.notices import tell_held

log = structlog.get_logger(__name__)

Scope = Send | Sender | ShortLinkDomain
_FIELDS: dict[type[Scope], str] = {Send: "send", Sender: "sender", ShortLinkDomain: "link_domain"}


def hold(scope: Scope, *, by: Actor, because: str) -> Hold:
    """Post nothing more of it until the hold is lifted. Asking twice gives the hold that is there."""
    field = field_of(scope)
    with transaction.atomic():
        # the row is locked, so that two people who press the button together make one hold
        type(scope)._default_manager.select_for_update(no_key=True).get(pk=scope.pk)
        held = Hold.objects.active().filter(**{field: scope}).first()
        if held is not None:
            if by.kind != "key":  # a program may not lift any more what a person wants held
                Hold.objects.filter(pk=held.pk).update(by_program=False)
            return held
        made = Hold.objects.create(
            service=scope.service,
            because=because[:300],
            placed_by=by.label,
            by_program=by.kind == "key",
            **{field: scope},
        )
        told: dict[str, Any] = {"once": (made.pk,), "reason": made.because, "rule": None}
        events.record_sends(unfinished(scope), "send.held", at=corrected_now(), **told)
        tell_held(
            scope.service,
            f"“{scope}”",
            unfinished(scope),
            event=f"hold:{made.pk}",
            because=made.because,
            by=by,
        )
        record(scope, "paused", by=by, because=because[:300])
    log.info("send_held", **{field: scope.pk}, by=by.label)
    return made


def lift(held: Hold, *, by: Actor) -> bool:
    """Lift a hold, so that dispatch continues; False where it was lifted already."""
    scope = held.send or held.sender or held.link_domain
    with transaction.atomic():
        fresh = Hold.objects.active().filter(pk=held.pk)
        if scope is None or not fresh.update(lifted_at=corrected_now(), lifted_by=by.label):
            return False
        tell_resumed(unfinished(scope), once=(held.pk,))
        record(scope, "resumed", by=by, rule=held.rule)
        wakeups.dispatch()
    log.info("send_resumed", **{field_of(scope): scope.pk}, by=by.label)
    return True


def holds_on(send: Send) -> "QuerySet[Hold]":
    """What stops this send now, the latest first."""
    held = Hold.objects.active().select_related("send", "sender", "link_domain")
    return (
        held.filter(send=send)
        | held.filter(sender=send.sender_id)
        | held.filter(link_domain__isnull=False, link_domain=send.link_domain_id)
    )


def hold_on(scope: Scope) -> Hold | None:
    """The hold on this very thing, if there is one; what else may stop a send is in `holds_on`."""
    related = ("service", "send__service", "sender__service", "link_domain__service")
    held = Hold.objects.active().select_related(*related)
    return held.filter(**{field_of(scope): scope}).first()


def held_among(sends: Sequence[Send]) -> set[int]:
    """Ids of those unfinished sends among these that something holds, in one query for all."""
    open_ones = [send for send in sends if send.state in UNFINISHED]
    if not open_ones:
        return set()
    services = {send.service_id for send in open_ones}
    holds = Hold.objects.active().filter(service__in=services)
    covered = list(holds.values_list("send_id", "sender_id", "link_domain_id"))
    sends_held, senders, domains = ({row[place] for row in covered if row[place]} for place in range(3))
    return {
        send.pk
        for send in open_ones
        if send.pk in sends_held or send.sender_id in senders or send.link_domain_id in domains
    }


def unfinished(scope: Scope | Service) -> "QuerySet[Send]":
    """Those of its sends that can still be held."""
    sends = Send.objects.filter(state__in=UNFINISHED).select_related("service")
    if isinstance(scope, Service):
        return sends.filter(service=scope)
    return sends.filter(pk=scope.pk) if isinstance(scope, Send) else sends.filter(**{field_of(scope): scope})


def tell_resumed(sends: Iterable[Send], *, once: Sequence[object]) -> None:
    """Of those that nothing else holds."""
    sends = [send for send in sends if send.service.paused_at is None]
    held = held_among(sends)
    free = [send for send in sends if send.pk not in held]
    events.record_sends(free, "send.resumed", at=corrected_now(), once=once)


def field_of(scope: Scope) -> str:
    return next(field for kind, field in _FIELDS.items() if isinstance(scope, kind))


def record(scope: Scope | Service, verb: str, *, by: Actor, **details: Any) -> None:
    noun = "domain" if isinstance(scope, ShortLinkDomain) else scope.audit_noun
    audit(f"{noun}.{verb}", scope, by=by, noun=noun, **details)
