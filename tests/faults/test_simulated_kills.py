"""A dispatcher that is killed in mid-send, with simulated and real sends before it: the provider's own log has none of the simulated."""

import time

from sms.values import correlation_id
from tests.support.dispatchers import Bench, bench

PATIENCE = 120  # seconds for what a machine with nothing else to do does in a few
SENDS = """
from sms.catalogue import api_keys
from sms.models import Service
from tests.support.sends import BY, a_send
shop = Service.objects.get(slug="demo")
key, _ = api_keys.make(shop, name="Tests", scopes=["send"], by=BY, is_test=True)
for lane in (0, 2):
    a_send(shop, 8, key=key, lane=lane)
    a_send(shop, 8, lane=lane)
"""
MESSAGES = "Message.objects.values('pk', 'state', 'attempt', 'send__simulated')"
PASSED_ON = """
from datetime import timedelta
from django.utils import timezone
from sms.models import Slice
Slice.objects.exclude(owner="").update(leased_until=timezone.now() - timedelta(seconds=1))
"""


def test_a_dispatcher_killed_in_mid_send_leaves_nothing_simulated_for_the_provider(
    prepared_database_url, tmp_path
):
    with bench(tmp_path, prepared_database_url) as made:
        made.run(SENDS)
        for crash_at in ("after_post", "armed", "before_record"):
            made.env["TEXTDESK_CRASH_AT"] = crash_at
            process = made.dispatcher()
            process.wait(PATIENCE)
            assert process.returncode == -9
            made.run(PASSED_ON)
        del made.env["TEXTDESK_CRASH_AT"]
        made.dispatcher()
        rows = _settled(made)
        key = made.rows("Service.objects.values('correlation_key')")[0]["correlation_key"]
        taken = [one for one in made.sandbox_log() if one["kind"] == "message"]
        there = {correlation_id.read(one["correlationId"], key=key).message_id for one in taken}
    simulated = {one["pk"]: one["state"] for one in rows if one["send__simulated"]}
    assert len(simulated) == 16 and not there & simulated.keys()
    assert there == {one["pk"] for one in rows if not one["send__simulated"]} - _unposted(rows, there)
    # of what was armed when a dispatcher died nobody knows whether it left; all the rest has its receipt
    assert set(simulated.values()) <= {"delivered", "unconfirmed"}
    assert list(simulated.values()).count("delivered") >= 4


def _unposted(rows: list[dict], there: set[int]) -> set[int]:
    return {one["pk"] for one in rows if one["state"] == "unconfirmed"} - there


def _settled(made: Bench) -> list[dict]:
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = made.rows(MESSAGES)
        if all(one["state"] in ("delivered", "unconfirmed") for one in rows):
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.5)
