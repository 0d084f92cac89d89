"""What becomes of a waiting change: a second person confirms or declines it, or its time comes and it takes effect by itself."""

from datetime import datetime
from typing import Any

import structlog
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from sms.guard.holding import end, operation_of
from sms.guard.ties import vouchers_of
from sms.models import Actor, ChangeState, WaitingChange
from sms.models.guard import watching
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

AT_A_TIME = 50
OVER = {
    ChangeState.CONFIRMED: gettext_lazy("It does not wait any more: confirmed."),
    ChangeState.ELAPSED: gettext_lazy("It does not wait any more: in effect after its time."),
    ChangeState.AT_ONCE: gettext_lazy(
        "It does not wait any more: in effect at once, by an operator of the host."
    ),
    ChangeState.DECLINED: gettext_lazy("It does not wait any more: declined."),
    ChangeState.VOID: gettext_lazy("It does not wait any more: void."),
}
NO_ADMIN = KeptSentence(gettext_noop("%(person)s is no admin any more. Another admin can ask for it."))
SOMETHING_ELSE = KeptSentence(gettext_noop("Something else was changed since. Ask again."))
took_effect = Signal()  # row=, before= (its columns), by=; in the transaction of the change


class GuardRefused(RuntimeError):
    """This answer cannot be taken; the sentence says why, and what to do."""


class NoLongerFits(Exception):
    """The row is not what it was when the change was asked for."""


def obstacle(change: WaitingChange, user: Any, *, now: datetime | None = None) -> str:
    """Why this person cannot confirm it, as a sentence; empty where they can."""
    if change.state != ChangeState.WAITING:
        return str(OVER[ChangeState(change.state)])
    if not _is_admin(change, user):
        return _("Admins of this service confirm it, and superusers.")
    if change.asked_by_id == user.pk:
        return _("You asked for this. Another admin has to confirm it.")
    if change.asked_by_id in vouchers_of(user, change.service_id, "admin", now=now or corrected_now()):
        return _(
            "%(person)s made you an admin or set up your account lately. Another admin has to confirm it."
        ) % {"person": change.asked_label}
    return ""


def confirm(change: WaitingChange, *, by: Actor) -> bool:
    """Let it take effect now; False where the row was changed since, so that it does not fit any more. Raises GuardRefused."""
    now = corrected_now()
    with transaction.atomic():
        locked = _locked(change)
        if why := obstacle(locked, by.user, now=now):
            raise GuardRefused(why)
        return _carry_out(locked, ChangeState.CONFIRMED, by=by, now=now)


def decline(change: WaitingChange, *, by: Actor, because: str) -> None:
    """It takes no effect. Also for who asked, who thinks again. Raises GuardRefused."""
    with transaction.atomic():
        locked = _locked(change)
        if locked.state != ChangeState.WAITING:
            raise GuardRefused(_("It does not wait any more."))
        if not _is_admin(locked, by.user):
            raise GuardRefused(_("Admins of this service decline it, and superusers."))
        if not because.strip():
            raise GuardRefused(_("Say why, so that who asked for it knows."))
        end(locked, ChangeState.DECLINED, by=by, now=corrected_now(), because=because.strip())


def take_effect_due(*, now: datetime | None = None) -> int:
    """What nobody answered within its time takes effect; returns how many did."""
    now = now or corrected_now()
    due = WaitingChange.objects.filter(state=ChangeState.WAITING, takes_effect_at__lte=now).order_by("pk")
    done = 0
    for change in due[:AT_A_TIME]:
        with transaction.atomic():
            locked = _locked(change)
            if locked.state == ChangeState.WAITING:
                done += _carry_out(locked, ChangeState.ELAPSED, by=Actor.system(), now=now)
    return done


def _carry_out(change: WaitingChange, how: ChangeState, *, by: Actor, now: datetime) -> bool:
    if not _is_admin(change, change.asked_by):  # a wish is worth no more than who has it
        because = NO_ADMIN(person=change.asked_label)
        end(change, ChangeState.VOID, by=by, now=now, because=because)
        return False
    try:
        with transaction.atomic(), watching(on=False):
            _store(change, by=by)
    except (NoLongerFits, IntegrityError, ValidationError, ValueError) as problem:
        log.warning("waiting_change_is_void", change=change.pk, error=type(problem).__name__)
        end(change, ChangeState.VOID, by=by, now=now, because=SOMETHING_ELSE())
        return False
    end(change, how, by=by, now=now)
    return True


def _store(change: WaitingChange, *, by: Actor) -> None:
    doing = operation_of(change)
    model: Any = apps.get_model(doing.model)
    after = {name: two[1] for name, two in doing.values.items()}
    if doing.key is None:
        if by.user is not None and "given_by_id" in after:
            after["given_by_id"] = None  # two people agreed, so nobody answers for them alone
        unique = {name: value for name, value in after.items() if name != "given_by_id"}
        row, before = model.objects.get_or_create(after, **unique)[0], dict[str, Any]()
    else:
        row = model._base_manager.select_for_update(of=("self",)).filter(pk=doing.key).first()
        if row is None:
            raise NoLongerFits
        before = _columns(row)
        if any(before[name] != two[0] for name, two in doing.values.items()):
            raise NoLongerFits
        for name, value in after.items():
            setattr(row, name, value)
        row.save(update_fields=[*after, *row.settle(list(after))])
    took_effect.send(sender=model, row=row, before=before, by=by)


def _columns(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _locked(change: WaitingChange) -> WaitingChange:
    return WaitingChange.objects.select_for_update(of=("self",)).get(pk=change.pk)


def _is_admin(change: WaitingChange, user: Any) -> bool:
    if user is None or not user.is_active:
        return False
    mine = user.memberships.filter(service=change.service_id, role="admin")
    return bool(user.is_superuser or (change.service_id is not None and mine.exists()))
