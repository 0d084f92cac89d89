"""A send that goes wrong is held with a sentence while others go on: by a rule (`watch`), or where what is stored of it is unreadable."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from sms.callbacks import events
from sms.models import Actor, Hold, Send
from sms.models.audit import audit
from sms.models.sql.session import database_now
from sms.models.sql.trouble import is_no_ones_fault
from sms.notices import tell_held
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

UNREADABLE = "unreadable"
NOT_READ = KeptSentence(
    gettext_noop(
        "Something stored of this send cannot be read (%(what)s). It is held until that is fixed; all others go on."
    )
)


def hold(send: Send, rule: str, *, because: str, facts: dict[str, int]) -> None:
    """By ourselves. Does nothing where the send is held already."""
    by = Actor.system()
    with transaction.atomic():
        Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        if Hold.objects.active().filter(send=send).exists():
            return
        held = Hold.objects.create(
            service=send.service, send=send, rule=rule, because=because, facts=facts, placed_by=by.label
        )
        told: dict[str, Any] = {"once": (held.pk,), "reason": because, "rule": rule}
        events.record([events.of_send(send, "send.held", at=database_now(), **told)])
        tell_held(
            send.service,
            f"“{send}”",
            Send.objects.filter(pk=send.pk),
            event=f"hold:{held.pk}",
            because=because,
            by=by,
        )
        audit("send.paused", send, by=by, rule=rule, because=because)
    log.error("send_held", send=send.pk, rule=rule, **facts)


@contextmanager
def held_if_broken(send_id: int) -> Iterator[None]:
    """Hold this send where the block breaks off over what is stored of it. A trouble of the database passes through."""
    try:
        yield
    except Exception as problem:
        if is_no_ones_fault(problem):
            raise
        log.exception("send_unreadable", send=send_id)
        send = Send.objects.select_related("service").get(pk=send_id)
        what = f"{type(problem).__name__}: {problem}"[:120]
        hold(send, UNREADABLE, because=NOT_READ(what=what), facts={})
