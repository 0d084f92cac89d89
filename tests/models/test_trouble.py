"""What an error of the database means, as the databases themselves raise it."""

import threading

import psycopg
import pytest
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)

from sms.models.sql.trouble import is_away, is_damage, is_of_the_database, may_work_again, waited_in_vain
from tests.support.sends import a_service


def raised_by(*statements):
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return caught.value


@pytest.mark.django_db(transaction=True)
def test_a_wrong_statement_is_the_statements_fault():
    for statement in ("SELECT name FROM nowhere", "INSERT INTO sms_service (id) VALUES (NULL)"):
        problem = raised_by(statement)
        assert not is_away(problem) and not may_work_again(problem), repr(problem)
    assert is_of_the_database(raised_by("SELECT name FROM nowhere")), "as after a migration that is missing"
    assert not is_of_the_database(raised_by("INSERT INTO sms_service (id) VALUES (NULL)"))
    assert not is_away(IntegrityError("twice")) and not is_away(ValueError("no error of a database"))


def test_without_a_code_the_connection_broke():
    for problem in (OperationalError("server closed the connection unexpectedly"), InterfaceError("closed")):
        assert is_away(problem) and may_work_again(problem)
    assert not is_away(DatabaseError("of no kind"))


@pytest.mark.django_db(transaction=True)
def test_a_database_that_may_only_be_read_is_away():
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = on")
        try:
            problem = raised_by("DELETE FROM sms_duty")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = off")
    else:
        problem = raised_by("SET TRANSACTION READ ONLY", "DELETE FROM sms_duty")
    assert is_away(problem) and not waited_in_vain(problem), repr(problem)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_cancelled_statement_and_a_lock_not_had_are_told_apart():
    cancelled = raised_by("SET LOCAL statement_timeout = 1", "SELECT pg_sleep(5)")
    assert is_away(cancelled) and waited_in_vain(cancelled)
    service, held, over = a_service(), threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            type(service).objects.select_for_update().get(pk=service.pk)
            held.set()
            over.wait(30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    try:
        locked = raised_by("SET LOCAL lock_timeout = 1", "UPDATE sms_service SET name = 'x'")
    finally:
        over.set()
        holder.join()
    assert not is_away(locked) and may_work_again(locked) and waited_in_vain(locked)


@pytest.mark.parametrize(
    ("state", "away"),
    [
        *[
            (state, True)
            for state in ("08006", "53300", "53100", "57P01", "57P03", "58030", "XX000", "25006")
        ],
        *[(state, False) for state in ("40P01", "40001", "55P03", "25P03")],
    ],
)
def test_codes_that_a_test_cannot_make_the_server_say(state, away):
    problem = OperationalError("as Django raises it")
    problem.__cause__ = psycopg.errors.lookup(state)("as the driver does")
    assert is_away(problem) is away and may_work_again(problem)


@pytest.mark.parametrize("state", ["XX001", "XX002"])
def test_what_is_damaged_is_neither_away_nor_mended_by_waiting(state):
    problem = InternalError("as Django raises it")
    problem.__cause__ = psycopg.errors.lookup(state)("as the driver does")
    assert is_damage(problem) and not is_away(problem) and not may_work_again(problem)
