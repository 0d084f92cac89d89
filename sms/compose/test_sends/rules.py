"""What a test send is, and to whom it may go. Checked by `sms.compose.checks` for every order that is one.

A test needs no approval, so it is kept narrow, and by what the database says now rather than by what the order claims: it goes to the
writer's own number or to a seed list of the service, to 50 numbers at most, and a person has 100 test messages an hour.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Sum
from django.utils import timezone

from sms.audiences import storage
from sms.models import ApprovalRules, AudienceChunk, Draft, SavedAudience, Send, Service
from sms.values.msisdn.kinds import NumberKind
from sms.values.problems import Problem, ProblemCode

MOST_RECIPIENTS = SavedAudience.LONGEST_SEED_LIST
MOST_AN_HOUR = 100  # test messages of one person
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TestSend:
    """Of an order: that it is a test of `draft` by `user`, to their own number or, where given, to a seed list."""

    draft: Draft
    user: Any
    seeds: SavedAudience | None = None


def problems(
    test: TestSend, *, service: Service, numbers: Collection[str], due_at: datetime | None, now: datetime
) -> Iterator[Problem]:
    if test.draft.service_id != service.pk:
        yield Problem(ProblemCode.NOT_USABLE, "to", "This draft is of another service.")
    if due_at is not None:
        yield Problem(ProblemCode.INVALID, "send_at", "A test goes out now.")
    if len(numbers) > MOST_RECIPIENTS:
        yield Problem(
            ProblemCode.TOO_MANY,
            "to",
            f"There are {len(numbers):,} numbers; a test goes to {MOST_RECIPIENTS} at most.",
        )
    elif test.seeds is None:
        mine = own_number(test.user)
        if not mine or set(numbers) != {mine}:
            yield Problem(
                ProblemCode.REQUIRED,
                "to",
                "A test to yourself goes to your own number. Give it under Your details.",
            )
    else:
        yield from _seed_problems(test.seeds, service, numbers)
    yield from _too_many(test.user, len(numbers), now=now)


def _seed_problems(seeds: SavedAudience, service: Service, numbers: Collection[str]) -> Iterator[Problem]:
    lists = SavedAudience.objects.filter(service=service, seed_list=True, archived_at=None)
    current = lists.filter(pk=seeds.pk).first()
    if current is None or current.current_id is None:
        yield Problem(
            ProblemCode.NOT_USABLE,
            "to",
            f"“{seeds}” is no seed list of {service.name} that can be used. Choose another one.",
        )
    elif current.confirmed_id != current.current_id and ApprovalRules.of(service).most:
        yield Problem(
            ProblemCode.NOT_USABLE,
            "to",
            f"“{seeds}” is not confirmed for tests as it is now. Ask an approver to confirm it on its page, under Audiences.",
        )
    elif not set(numbers) <= set(numbers_in(current)):
        yield Problem(ProblemCode.CHANGED, "to", f"“{seeds}” was changed since. Check it, and try again.")


def _too_many(user: Any, count: int, *, now: datetime) -> Iterator[Problem]:
    left = left_this_hour(user, now=now)
    if count > left:
        sent_at = _within_the_hour(user, now=now).order_by("created_at").values_list("created_at", flat=True)
        free_at = sent_at.first()
        when = f" after {timezone.localtime(free_at + HOUR):%H:%M %Z}" if free_at else " in an hour"
        yield Problem(
            ProblemCode.TOO_MANY,
            "to",
            f"You may send {MOST_AN_HOUR} test messages in an hour, and {MOST_AN_HOUR - left} went. "
            f"This would be {count} more. Try again{when}, or choose fewer numbers.",
        )


def own_number(user: Any) -> str:
    """The number that a person has given as theirs, read now; empty for none, and where `user` is not a person."""
    if user is None or user.pk is None:
        return ""
    return str(get_user_model()._default_manager.values_list("own_number", flat=True).get(pk=user.pk))


def numbers_in(seeds: SavedAudience) -> list[str]:
    found: list[str] = []
    for chunk in AudienceChunk.objects.filter(version=seeds.current_id).order_by("place"):
        rows = storage.recipients_of(chunk)
        found += [one.msisdn for one in rows if one.kind != NumberKind.ABROAD]
        if len(found) > MOST_RECIPIENTS:
            break
    return list(dict.fromkeys(found))


def left_this_hour(user: Any, *, now: datetime) -> int:
    used = _within_the_hour(user, now=now).aggregate(total=Sum("recipients"))["total"] or 0
    return max(MOST_AN_HOUR - used, 0)


def _within_the_hour(user: Any, *, now: datetime) -> Any:
    return Send.objects.filter(created_by=user, test=True, created_at__gt=now - HOUR)
