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
LEASES_RUN_OUT = """
from datetime import timedelta
from django.utils import timezone
from sms.models import Slice
Slice.objects.exclude(owner="").update(leased_until=timezone.now() - timedelta(seconds=1))
"""
SEND_AGAIN = """
from sms import dispatch
from sms.models import Send
from tests.support.sends import BY
for send in Send.objects.all():
    dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY)
"""


def test_what_a_killed_dispatcher_leaves_is_settled_and_nothing_simulated_meets_the_provider(
    prepared_database_url, tmp_path
):
    with bench(tmp_path, prepared_database_url) as made:
        made.run(SENDS)
        made.env["TEXTDESK_CRASH_AT"] = "after_post:3"
        assert made.dispatcher().wait(PATIENCE) == -9, made.log.read_text()
        del made.env["TEXTDESK_CRASH_AT"]
        made.run(LEASES_RUN_OUT)
        made.dispatcher()
        # of what the simulator took the receipts come, also those of before the crash; here is no door for the provider's
        _wait(made, {"delivered", "unconfirmed"}, {"queued", "unconfirmed"})
        made.run(SEND_AGAIN)
        rows = _wait(made, {"delivered"}, {"queued"})
        key = made.rows("Service.objects.values('correlation_key')")[0]["correlation_key"]
        taken = [one["correlationId"] for one in made.sandbox_log() if one["kind"] == "message"]
    simulated = {one["pk"] for one in rows if one["send__simulated"]}
    assert len(simulated) == 16
    assert {correlation_id.read(one, key=key).message_id for one in taken} == {
        one["pk"] for one in rows
    } - simulated


def _wait(made: Bench, simulated: set[str], real: set[str]) -> list[dict]:
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = made.rows("Message.objects.values('pk', 'state', 'send__simulated')")
        if all(one["state"] in (simulated if one["send__simulated"] else real) for one in rows):
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.5)
