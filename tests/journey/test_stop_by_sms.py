"""STOP on real processes: a phone of the sandbox writes to our number, the endpoint hears of it, and the next send leaves it out."""

import json
import time
import urllib.request

from tests.support.processes import Textdesk

PHONE = "+447712345001"


def text(running: Textdesk, said: str, tid: str) -> None:
    """A phone of the sandbox writes to us."""
    (service,) = running.rows("Service.objects.values('receipt_token')")
    order = {
        "from": PHONE,
        "to": "TEXTDESK",
        "text": said,
        "tid": tid,
        "url": f"{running.url}/inbound/{service['receipt_token']}/",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.sandbox_port}/__sandbox__/inbound",
        data=json.dumps(order).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    deadline = time.monotonic() + 120
    while not [
        row for row in running.sandbox_log() if row["kind"] == "inbound" and row.get("messageId") == tid
    ]:
        assert time.monotonic() < deadline, "the sandbox did not report it"
        time.sleep(0.05)


def test_a_person_who_texts_stop_is_left_out_until_start(running, tmp_path):
    audience = tmp_path / "two.csv"
    audience.write_text(f"number\n{PHONE}\n+447712345002\n")
    first = running.send(audience, "--text", "Hello")
    assert first["recipients"] == 2

    text(running, "Stop! 🛑", "0044_1")
    (out,) = running.rows("OptOut.objects.values('msisdn','source','send','evidence','lifted_at')")
    assert (out["msisdn"], out["source"], out["lifted_at"]) == (PHONE, "inbound", None)
    assert out["send"] == first["send"]
    second = running.send(audience, "--text", "Hello again")
    assert (second["recipients"], second["rejected"]) == (1, 1)
    posted = [row["msisdn"] for row in running.sandbox_log() if row["kind"] == "message"]
    assert sum(PHONE.lstrip("+") in number for number in posted) == 1

    text(running, "start", "0044_2")
    third = running.send(audience, "--text", "Welcome back")
    assert (third["recipients"], third["rejected"]) == (2, 0)
    assert running.rows(
        f"InboundMessage.objects.filter(msisdn='{PHONE}').order_by('pk').values('meaning','why')"
    ) == [
        {"meaning": "stop", "why": ""},
        {"meaning": "start", "why": ""},
    ]
