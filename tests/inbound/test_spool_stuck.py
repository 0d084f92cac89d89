"""A post that alone ends in a timeout, however often it is tried, holds up no other, and waits for a person in the end."""

from datetime import timedelta

import psycopg.errors
import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts.inbox import spool
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.spool import LONG, TRIES, Spool
from sms.models import Receipt
from sms.models.sql.trouble import may_be_of_one_alone
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def a_post(number: int, *, poison: bool = False, service_id: int = 1) -> Incoming:
    return Incoming(service_id, b'{"%s": %d}' % (b"poison" if poison else b"n", number), NOW)


def stuck() -> OperationalError:
    problem = OperationalError("canceling statement due to statement timeout")
    problem.__cause__ = psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
    return problem


class Database:
    """Takes what is not poison; nothing at all while it is `locked`."""

    def __init__(self) -> None:
        self.took: list[bytes] = []
        self.asked, self.locked = 0, False

    def insert(self, batch) -> None:
        self.asked += 1
        if self.locked or any(b"poison" in post.raw for post in batch):
            raise stuck()
        self.took += [post.raw for post in batch]


@pytest.fixture
def some(tmp_path):
    """Each append has a file of its own."""
    return Spool(Incoming, tmp_path, full=0)


def much_later() -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=LONG + 1))


def swept(some, database) -> None:
    with much_later():
        for _ in range(TRIES):
            some.sweep(database.insert)


@pytest.mark.postgresql
def test_a_receipt_over_which_the_database_takes_too_long_holds_up_neither_its_file_nor_those_behind(
    state_folder,
):
    service = a_service()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF position('poison' IN convert_from(NEW.raw, 'UTF8')) > 0 THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER slow BEFORE INSERT ON sms_receipt FOR EACH ROW EXECUTE FUNCTION slow()"
        )
        cursor.execute("SET LOCAL statement_timeout = '300ms'")
    posts = [a_post(number, poison=number == 7, service_id=service.pk) for number in range(12)]
    spool.append(posts)
    spool._leave()
    spool.append([a_post(99, service_id=service.pk)])
    assert receipts.sweep() == 12
    assert Receipt.objects.count() == 12
    assert (spool.waiting()[0], spool.kept()) == (1, 0)
    with pytest.raises(OperationalError):
        receipts.sweep()  # nothing else comes in by which one could tell whose fault it is
    with much_later():
        for _ in range(TRIES):
            receipts.sweep()
    assert (spool.waiting()[0], spool.kept()) == (0, 1), "a person is told"
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER slow ON sms_receipt")
    assert receipts.take_in_kept() == 1
    assert Receipt.objects.count() == 13 and spool.kept() == 0


def test_what_alone_waits_for_a_busy_table_is_not_set_aside(some):
    database = Database()
    some.append([a_post(1, poison=True)])
    for number in range(2, 4):
        some.append([a_post(number)])
        some.sweep(database.insert)
    assert len(database.took) == 2
    assert (some.waiting()[0], some.kept()) == (1, 0)


def test_files_with_nothing_but_poison_hold_up_none_behind_them_and_end_with_a_person(some):
    database = Database()
    for number in range(2):
        some.append([a_post(10 * number + one, poison=True) for one in range(3)])
    some.append([a_post(90), a_post(91)])
    swept(some, database)
    assert len(database.took) == 2
    some.append([a_post(92)])
    some.sweep(database.insert)
    assert len(database.took) == 3


def test_while_a_table_is_locked_everything_waits_for_no_person_and_few_are_asked(some):
    database = Database()
    database.locked = True
    for number in range(3):
        some.append([a_post(100 * number + one) for one in range(60)])
    for _ in range(2 * TRIES):
        with pytest.raises(OperationalError):
            some.sweep(database.insert)
    assert (some.waiting()[0], some.kept()) == (3, 0)
    assert database.asked == 2 * TRIES * 3 * 3, "of three files each as a whole, its first post and its last"
    database.locked = False
    assert some.sweep(database.insert) == 180


def test_a_lock_that_comes_in_mid_sweep_sets_nothing_aside(some):
    database = Database()

    def insert_once(batch) -> None:
        database.insert(batch)
        database.locked = True

    for number in range(3):
        some.append([a_post(100 * number + one) for one in range(60)])
    with pytest.raises(OperationalError):
        for _ in range(2 * TRIES):
            some.sweep(insert_once)
    assert some.kept() == 0
    database.locked = False
    swept(some, database)
    assert len(set(database.took)) == 180


def test_the_only_one_that_waits_is_set_aside_too_and_stops_no_command(some):
    database = Database()
    some.append([a_post(1, poison=True)])
    for _ in range(2 * TRIES):
        with pytest.raises(OperationalError) as found:
            some.sweep(database.insert)
    assert may_be_of_one_alone(found.value)
    assert (some.waiting()[0], some.kept()) == (1, 0), "the whole database may be to blame"
    swept(some, database)
    assert (some.waiting()[0], some.kept()) == (0, 1)
    assert some.take_in_kept(database.insert) == 0
    assert some.kept() == 1
