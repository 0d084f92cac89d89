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
from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.models import ApprovalRules, AudienceChunk, Draft, SavedAudience, Send, Service
from sms.values.msisdn.kinds import NumberKind
from sms.values.problems import Problem, ProblemCode
from sms.words import moment, number

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
        yield Problem(ProblemCode.NOT_USABLE, "to", _("This draft is of another service."))
    if due_at is not None:
        yield Problem(ProblemCode.INVALID, "send_at", _("A test goes out now."))
    if len(numbers) > MOST_RECIPIENTS:
        yield Problem(
            ProblemCode.TOO_MANY,
            "to",
            _("There are %(n)s numbers; a test goes to %(most)s at most.")
            % {"n": number(len(numbers)), "most": number(MOST_RECIPIENTS)},
        )
    elif test.seeds is None:
        mine = own_number(test.user)
        if not mine or set(numbers) != {mine}:
            yield Problem(
                ProblemCode.REQUIRED,
                "to",
                _("A test to yourself goes to your own number. Give it under Your details."),
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
            _("“%(list)s” is no seed list of %(service)s that can be used. Choose another one.")
            % {"list": seeds, "service": service.name},
        )
    elif current.confirmed_id != current.current_id and ApprovalRules.of(service).most:
        yield Problem(
            ProblemCode.NOT_USABLE,
            "to",
            _(
                "“%(list)s” is not confirmed for tests as it is now. Ask an approver to confirm it on its page, under Audiences."
            )
            % {"list": seeds},
        )
    elif not set(numbers) <= set(numbers_in(current)):
        says = _("“%(list)s” was changed since. Check it, and try again.") % {"list": seeds}
        yield Problem(ProblemCode.CHANGED, "to", says)


def _too_many(user: Any, count: int, *, now: datetime) -> Iterator[Problem]:
    left = left_this_hour(user, now=now)
    if count > left:
        sent_at = _within_the_hour(user, now=now).order_by("created_at").values_list("created_at", flat=True)
        free_at = sent_at.first()
        says = _(
            "You may send %(most)s test messages in an hour, and %(went)s went. This would be %(more)s more. "
            "Try again in an hour, or choose fewer numbers."
        )
        if free_at:
            says = _(
                "You may send %(most)s test messages in an hour, and %(went)s went. This would be %(more)s more. "
                "Try again after %(time)s, or choose fewer numbers."
            )
        facts = {
            "most": number(MOST_AN_HOUR),
            "went": number(MOST_AN_HOUR - left),
            "more": number(count),
            "time": moment(timezone.localtime(free_at + HOUR), "H:i T") if free_at else "",
        }
        yield Problem(ProblemCode.TOO_MANY, "to", says % facts)


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
