"""Bugs planted on purpose in one process, to show that the checker would see them. `zygote.py` calls these in a child.

They replace the protocol's real functions, and fail loudly when such a function is no longer there to be broken.
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from django.db.models.functions import Now

from sms.dispatch import arm as arming
from sms.dispatch import claim as claiming
from sms.ledger import states
from sms.models import Message, MessageState, Slice


def _replace(module: ModuleType, name: str, bug: Callable[..., Any]) -> None:
    assert callable(getattr(module, name, None)), f"{module.__name__} has no {name} to break any more"
    setattr(module, name, bug)


def arm_is_not_written() -> None:
    """The arm commit dropped: bytes leave while the database still says pending."""

    def arm(message_ids, **_rest):
        pending = Message.objects.filter(pk__in=list(message_ids), state=MessageState.PENDING)
        return set(pending.values_list("pk", flat=True))

    _replace(states, "arm", arm)
    # what makes up for a standby that was promoted under us would make up for this
    _replace(states, "_remember", lambda *_accepted, **_rest: None)


def no_fence() -> None:
    """The lease fence removed: a process that once held a slice goes on as if it were still theirs."""

    def renew(leases, *, owner):
        theirs = Slice.objects.filter(pk__in=[lease.slice_id for lease in leases])
        theirs.update(owner=owner.name, leased_until=Now() + owner.lease, done=False)

    running = importlib.import_module("sms.dispatch.coordinator")
    for module in (arming, claiming, running):
        _replace(module, "renew", renew)


def no_fence_and_no_guard() -> None:
    """The fence removed, and with it the second line behind it: only what is pending is armed."""
    no_fence()
    real = states.arm

    def arm(message_ids, **rest):
        Message.objects.filter(pk__in=list(message_ids)).update(state=MessageState.PENDING)
        return real(message_ids, **rest)

    _replace(states, "arm", arm)


def sweep_sends_again() -> None:
    """What a dead dispatcher had armed is simply sent again."""

    def sweep(expired, **_rest):
        for item in expired:
            claiming.in_slice(item).filter(state=MessageState.POSTING).update(state=MessageState.PENDING)

    _replace(claiming, "_sweep", sweep)


def sweep_forgets() -> None:
    """What a dead dispatcher had armed stays posting for ever."""
    _replace(claiming, "_sweep", lambda expired, **_rest: None)


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (arm_is_not_written, no_fence, no_fence_and_no_guard, sweep_sends_again, sweep_forgets)
}
