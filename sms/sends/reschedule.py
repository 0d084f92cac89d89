"""Another time for a send that has not begun."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sms.compose import checks, spending
from sms.compose.approval import endings, fingerprint, rules
from sms.compose.errors import ComposeError
from sms.compose.naming import name_at
from sms.ledger import wakeups
from sms.models import Actor, Send, SendState, Slice
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.problems import Problem, ProblemCode
from sms.words import moment


class SendHasBegun(RuntimeError):
    """It is too late for that; the sentence says why."""


def reschedule(send: Send, *, due_at: datetime, by: Actor, now: datetime | None = None) -> None:
    """Another time for a send that has not begun; a person who moves it cannot approve it then.

    Raises SendHasBegun, and ComposeError where the time cannot be, or is one at which it would need an approval that it has not.
    """
    now = now or corrected_now()
    digests = fingerprint.digest_messages(send.pk) if send.approvers else None
    with transaction.atomic():
        # the send, then its slices, as `sends.cancel` does: a dispatcher that claims one right now is waited for
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        begun = [item.pk for item in Slice.of_send(locked.pk) if item.owner or item.done]
        waits = locked.state in (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
        if not waits or begun:
            raise SendHasBegun(too_late(locked))
        if problem := _misplaced(locked, due_at, now=now):
            raise ComposeError([problem])
        before, due_at = locked.due_at, max(due_at, now)
        spending.move(locked, due_at=due_at, now=now)
        locked.name, locked.due_at = name_at(locked, due_at), due_at
        locked.save(update_fields=["due_at", "name", "counted_on"])
        Slice.objects.filter(send=locked).update(due_at=locked.due_at)
        audit("send.rescheduled", locked, by=by, before=before.isoformat(), due_at=locked.due_at.isoformat())
        endings.time_changed(locked, by=by, now=now, digests=digests)
        wakeups.dispatch()
    send.refresh_from_db()


def too_late(send: Send) -> str:
    """Why a send cannot be moved any more, and what can be done instead."""
    if send.state == SendState.CANCELLED:
        return _("It is cancelled already, so it cannot be moved. Duplicate it to send it again.")
    if send.state == SendState.FINISHED:
        return _("It is finished already, so it cannot be moved. Duplicate it to send it again.")
    return _("It has begun, so it cannot be put off. Pause it, or stop what was not posted yet.")


def _misplaced(send: Send, due_at: datetime, *, now: datetime) -> Problem | None:
    """What is wrong with that time. Its expiry stays as it was made, so only the time can give way."""
    problem = checks.time_problem(due_at, send.expires_at, now=now)
    if problem is None and (why := rules.too_large_at(send, max(due_at, now))):
        way_out = _(
            "Choose another day, or cancel it and send a duplicate at that time, which asks the approvers."
        )
        return Problem(ProblemCode.OUT_OF_RANGE, "send_at", f"{why} {way_out}")
    if problem is None or problem.code != ProblemCode.EXPIRES_TOO_EARLY:
        return problem
    assert send.expires_at is not None
    expires_at = timezone.localtime(send.expires_at)
    says = _(
        "It expires before that, on %(day)s at %(time)s. "
        "Choose an earlier time, or duplicate it as a draft with a later expiry."
    ) % {"day": moment(expires_at, "j F"), "time": moment(expires_at, "H:i T")}
    return Problem(ProblemCode.EXPIRES_TOO_EARLY, "send_at", says)
