"""Holding a change back: what would be weaker is put back on the row before it is saved, and waits as a `WaitingChange`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext_noop

from sms.guard import notices, words
from sms.models import Actor, ChangeState, Guarded, Service, WaitingChange
from sms.models.audit import audit
from sms.models.guard import on_guard
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence

WAITS_FOR = timedelta(hours=24)
A_LATER_ONE = KeptSentence(gettext_noop("A later change takes its place."))
OPERATOR = "cli"  # the door of who works on the host


@dataclass(frozen=True, slots=True)
class Operation:
    """What a change does to one row: each column from what to what; without a `key` the row is new."""

    model: str
    key: int | None
    values: dict[str, tuple[Any, Any]]

    @property
    def touches(self) -> str:
        new = ",".join(str(two[1]) for name, two in sorted(self.values.items()) if name != "given_by_id")
        return f"{self.model}:{self.key or new}"[:100]


def hold_back(
    thing: Guarded,
    *,
    by: Actor,
    names: Iterable[str] | None = None,
    together: Iterable[str] = (),
    now: datetime | None = None,
) -> WaitingChange | None:
    """Call it before `thing` is saved. What would be weaker is as it is stored again, and the change that waits is returned; None for none.

    `names` are the fields that are saved, where not all are. `together` are columns that make sense only as a whole: where one of
    them would be weaker, all of them wait. What an operator of the host does is not held back, but noticed.
    """
    if not on_guard(thing.guards):
        return None
    values = thing.weakened(names)
    if not values:
        return None
    if whole := list(together):
        stored = thing.as_stored(whole)
        values = {name: (stored[name], getattr(thing, name)) for name in whole}
        values = {name: two for name, two in values.items() if two[0] != two[1]}
    doing = Operation(thing._meta.label, thing.pk, values)
    change = ask(thing.guards, words.title_of(thing, values), doing, by=by, now=now)
    if change.state == ChangeState.WAITING:
        for name, (before, _after) in values.items():
            setattr(thing, name, before)
        return change
    return None


def ask(
    service_id: int | None,
    title: str,
    doing: Operation,
    *,
    by: Actor,
    now: datetime | None = None,
    says: Sequence[dict[str, str]] | None = None,
) -> WaitingChange:
    """Store what is to wait. The same wish that waits already goes on waiting; one about the same columns takes the place of that one."""
    now = now or corrected_now()
    with transaction.atomic():
        if service_id is not None:  # two wishes at once see each other
            list(
                Service.objects.order_by()
                .select_for_update(no_key=True)
                .filter(pk=service_id)
                .values_list("pk")
            )
        for other in WaitingChange.objects.filter(touches=doing.touches, state=ChangeState.WAITING):
            known = operation_of(other)
            if known == doing:
                return other
            if known.values.keys() & doing.values.keys():
                end(other, ChangeState.VOID, by=by, now=now, because=A_LATER_ONE())
        at_once = by.door == OPERATOR
        change = WaitingChange.objects.create(
            service_id=service_id,
            title=title,
            says=words.says(_model(doing.model), doing.values) if says is None else list(says),
            operations="" if at_once else msgspec.json.encode(doing).decode(),
            touches=doing.touches,
            state=ChangeState.AT_ONCE if at_once else ChangeState.WAITING,
            asked_at=now,
            asked_by=by.user,
            asked_label=by.label,
            takes_effect_at=now if at_once else now + WAITS_FOR,
            ended_at=now if at_once else None,
            ended_by=by.label if at_once else "",
        )
        audit(
            "guard.took_effect" if at_once else "guard.asked",
            change,
            by=by,
            named=title,
            fields=sorted(doing.values),
        )
        notices.tell(change, now=now)
    return change


def operation_of(change: WaitingChange) -> Operation:
    """Values are what their columns hold: JSON made texts of amounts and times."""
    found = msgspec.json.decode(change.operations, type=Operation)
    columns = {one.attname: one for one in _model(found.model)._meta.concrete_fields}
    values = {
        name: (columns[name].to_python(before), columns[name].to_python(after))
        for name, (before, after) in found.values.items()
    }
    return replace(found, values=values)


def call_off(doing: Operation, *, by: Actor, because: str) -> None:
    """What waits for the same row comes to nothing."""
    for change in WaitingChange.objects.filter(touches=doing.touches, state=ChangeState.WAITING):
        end(change, ChangeState.VOID, by=by, now=corrected_now(), because=because)


def _model(label: str) -> type[models.Model]:
    return apps.get_model(label)


def end(change: WaitingChange, state: ChangeState, *, by: Actor, now: datetime, because: str = "") -> None:
    change.state, change.ended_at, change.ended_by, change.because = state, now, by.label, because[:300]
    change.operations = ""  # a secret that was typed for it is kept nowhere else
    change.save()
    audit(ENDED[state], change, by=by, named=change.title, because=because)
    notices.tell(change, now=now)


ENDED = {
    ChangeState.CONFIRMED: "guard.confirmed",
    ChangeState.ELAPSED: "guard.took_effect",
    ChangeState.DECLINED: "guard.declined",
    ChangeState.VOID: "guard.void",
}
