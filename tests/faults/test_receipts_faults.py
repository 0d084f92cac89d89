"""PostgreSQL is stopped at once while receipts come in, and comes back: what was answered with 200 is there, byte for byte."""

import os
import threading
import time

import httpx
import psycopg
import pytest

from tests import postgres
from tests.bench.rig.shooter import Shots, shoot
from tests.faults.crash import field_of
from tests.support.processes import until
from tests.support.receipts import receipt

pytestmark = [pytest.mark.postgresql]

# seconds; TEXTDESK_DATABASE_AWAY=180 is the long run that the suite has no time for
BEFORE, AWAY, AFTER = 1.0, float(os.environ.get("TEXTDESK_DATABASE_AWAY", "2.5")), 2.5
PER_SECOND = 200


@pytest.fixture
def server():
    with postgres.own_cluster() as made:
        assert made.execute("SHOW fsync") == [("on",)], "or its stops would prove nothing"
        yield made


@pytest.fixture
def database_url(server):
    with postgres.fresh_database(postgres.Server(server.base_url, "our own")) as url:
        yield url


@pytest.fixture
def field(database_url, tmp_path):
    with field_of(tmp_path, database_url, "--retry-seconds", "1.5") as made:
        yield made


def stored(url: str) -> set[bytes]:
    with psycopg.connect(url) as connection:
        return {bytes(raw) for (raw,) in connection.execute("SELECT raw FROM sms_receipt")}


def test_no_receipt_is_lost_while_the_database_is_stopped(server, database_url, field, tmp_path):
    field.clerk.service(f"http://127.0.0.1:{field.sandbox_port}")
    with psycopg.connect(database_url) as connection:
        (token,) = connection.execute("SELECT receipt_token FROM sms_service").fetchone()
    address = f"http://127.0.0.1:{field.port}/receipts/{token}/"
    until(
        lambda: httpx.post(address, content=receipt("nobody")).is_success, "the web process knows the address"
    )
    began = time.monotonic()

    def paced(number: int) -> tuple[bytes, bytes]:
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
        return receipt(f"nobody-{number}"), b""

    shots: list[Shots] = []
    length = BEFORE + AWAY + AFTER
    shooting = threading.Thread(
        target=lambda: shots.append(
            shoot(field.port, f"/receipts/{token}/", paced, seconds=length, connections=8)
        )
    )
    shooting.start()
    time.sleep(BEFORE)
    server.stop_immediately()
    time.sleep(AWAY)
    spooled = list(tmp_path.rglob("*.spool"))
    server.start()
    shooting.join(60)
    assert not shooting.is_alive()

    answered = set(shots[0].bodies)
    assert set(shots[0].answers) <= {200, 503}, shots[0].answers
    assert len(answered) > PER_SECOND * length / 2, shots[0].answers
    assert spooled, "nothing was put on the disk, so nothing was proved"
    until(
        lambda: not list(tmp_path.rglob("*.spool")) + list(tmp_path.rglob("*.taken")),
        "the web process itself sweeps its spool",
    )
    assert answered - stored(database_url) == set()
    assert shots[0].answers[503] == 0, "every one was kept at the first time"
