"""Inserting without the ORM: the same rows as the ORM makes, in the order that was given, with keys in that order."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sms.models import Message, OptOut, StateCount
from sms.models.sql.insert import StatementBatch, insert
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db

COLUMNS = ("send_id", "msisdn", "row", "text", "substitutions", "segments", "final_at")
TEXTS = ("plain", "50 % off, %s; '; --", 'żółć 😀 "quoted" \\ back', "line\nbreak\ttab", "")


@pytest.mark.parametrize("count", [1, 5, 1203])
def test_rows_are_those_that_the_orm_makes(count):
    send, now = a_send(a_service()), timezone.now()
    rows = [
        (
            send.pk,
            f"+4477{at:08d}",
            at,
            TEXTS[at % 5],
            {"n": TEXTS[at % 5], "é": "1"},
            2,
            now if at % 2 else None,
        )
        for at in range(count)
    ]
    keys = insert(Message, COLUMNS, rows)
    made = [Message.objects.create(**dict(zip(COLUMNS, row, strict=True))) for row in rows[:5]]
    assert keys == sorted(keys)
    stored = list(Message.objects.filter(pk__in=keys).order_by("pk"))
    assert [tuple(getattr(one, name) for name in COLUMNS) for one in stored] == rows
    other = [
        field.attname for field in Message._meta.concrete_fields if field.attname not in ("id", *COLUMNS)
    ]
    for one, by_orm in zip(stored[:5], made, strict=False):
        by_orm.refresh_from_db()
        assert [getattr(one, name) for name in other] == [getattr(by_orm, name) for name in other]


def test_nothing_is_nothing():
    assert insert(Message, COLUMNS, []) == []


def test_what_is_inserted_later_is_there_after_one_journey(django_assert_num_queries):
    send, later = a_send(a_service()), StatementBatch()
    columns = ("send_id", "state", "code", "window", "delta")
    before = StateCount.objects.count()
    with (
        django_assert_num_queries(1 if connection.vendor == "postgresql" else 2),
        transaction.atomic(savepoint=False),
    ):
        insert(StateCount, columns, [(send.pk, "failed", "1%s", 0, 1)], batch=later)
        insert(
            StateCount,
            columns,
            [(send.pk, "failed", "2", 0, 1), (send.pk, "queued", "", 0, 2)],
            batch=later,
        )
        later.run()
        later.run()
    assert StateCount.objects.count() == before + 3
    assert sorted(send.failures()) == [("1%s", 1), ("2", 1)]


def test_who_refused_is_found_among_one_and_among_many():
    service = a_service()
    for number in ("+447700900001", "+447700900003"):
        OptOut.objects.create(service=service, msisdn=number, source="page")
    OptOut.objects.create(service=service, msisdn="+447700900002", source="page", lifted_at=timezone.now())
    numbers = [f"+4477009{at:05d}" for at in range(1500)]
    assert OptOut.in_force(service.pk, numbers) == {"+447700900001", "+447700900003"}
    assert OptOut.in_force(service.pk, ["+447700900001"]) == {"+447700900001"}
    assert OptOut.in_force(service.pk, ["+447700900002"]) == OptOut.in_force(service.pk, []) == set()
    assert OptOut.in_force(a_service(slug="other", name="Other").pk, numbers) == set()
