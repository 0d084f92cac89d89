"""An upgrade beside processes that work: tables that a send needs are changed while it runs, and a reader stands in the change's way."""

import json
import threading
from collections import Counter
from datetime import datetime
from itertools import pairwise

import psycopg
import pytest

from tests.support.dispatchers import Bench, bench
from tests.support.processes import until

MESSAGES = 300

# As a migration does it within `prepare`: a change that needs every other transaction out of the table
CHANGE = """
from functools import partial
from django.db import connection, transaction
from sms.models.sql import preparing

def change():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE sms_message ADD COLUMN of_the_next_version integer")

preparing.letting_go(change, again=partial(print, "again", flush=True))
"""


def arrived(made: Bench) -> list[dict]:
    return [row for row in made.sandbox_log() if row["kind"] == "message"]


def waits_for_a_table(database_url: str) -> bool:
    with psycopg.connect(database_url) as other:
        waiting = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
        return other.execute(waiting).fetchone() != (0,)


def longest_pause(messages: list[dict]) -> float:
    """Seconds between two messages that came one after the other."""
    moments = sorted(datetime.fromisoformat(row["at"]) for row in messages)
    return max((later - earlier).total_seconds() for earlier, later in pairwise(moments))


@pytest.mark.postgresql
def test_a_send_goes_on_while_a_table_that_it_needs_is_changed(var_dir, prepared_database_url, tmp_path, say):
    audience = tmp_path / "numbers.csv"
    audience.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(MESSAGES)))
    with bench(var_dir, prepared_database_url) as made:
        made.run("from sms.models import Service; Service.objects.update(rate=30)")
        what = ("--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
        made.manage("send", *what)
        made.dispatcher()
        until(lambda: arrived(made), "the first messages")
        with psycopg.connect(prepared_database_url) as reader:
            reader.execute("SELECT count(*) FROM sms_message")  # a report that takes its time
            changing = threading.Thread(target=made.run, args=(CHANGE,))
            changing.start()
            until(lambda: waits_for_a_table(prepared_database_url), "the change to wait for the reader")
            sofar = len(arrived(made))
            assert sofar < MESSAGES, "it was through before anything was changed"
            until(lambda: len(arrived(made)) > sofar + 30, "the send to go on behind a change that waits")
        changing.join()
        until(lambda: len(arrived(made)) >= MESSAGES, "the whole send")
        messages = arrived(made)
        figure = {"figure": "upgrade", "messages": len(messages), "longest_pause": longest_pause(messages)}
        say(json.dumps(figure))
        copies = Counter(row["msisdn"] for row in messages)
        assert len(copies) == MESSAGES and set(copies.values()) == {1}
        assert made.rows("Message.objects.exclude(state='queued').values('state')") == []
        changed = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'of_the_next_version'"
        with psycopg.connect(prepared_database_url) as other:
            assert other.execute(changed).fetchone() == (1,)
        assert "lease_ran_out" not in made.log.read_text()
