"""What can be changed while the sandbox runs, who may, and what is forgotten."""

import http.client
import json
import time

import pytest

from tests.sandbox.endpoint import endpoint
from tests.sandbox.running import receiver, sandbox

SETTINGS = "/__sandbox__/settings"
GROUP = {"contactPolicyGroup": "demo-marketing", "channelApplyFrequencyCap": True}


def error(answer) -> str:
    assert answer.status == 400
    sentence = answer.json["error"]
    assert sentence.endswith(".")
    return sentence


def test_settings_are_reported_as_they_can_be_given():
    with sandbox(tps=7, fault=["slow=250", "throttle=7020"], switch="accepted_as=202") as running:
        told = running.get(SETTINGS).json
        assert told["tps"] == 7
        assert told["faults"]["slow"] == 250
        assert told["faults"]["throttle"] == "7020"
        assert told["faults"]["receipt_drop"] == 0
        assert told["switches"]["accepted_as"] == "202"
        assert told["switches"]["reply_time"] == "utc"
        assert told["outcomes"] == {}
        assert running.call("POST", SETTINGS, told).json == told


def test_faults_come_and_go():
    with sandbox() as running:
        assert running.send().status == 201
        answer = running.call("POST", SETTINGS, {"faults": {"http_500": 1, "receipt_delay": 20}})
        assert answer.json["faults"] == running.get(SETTINGS).json["faults"]
        assert (answer.json["faults"]["http_500"], answer.json["faults"]["receipt_delay"]) == (1, 20)
        assert running.send().status == 500
        assert running.call("POST", SETTINGS, {"faults": {"http_500": 0}}).status == 200
        assert running.send().status == 201
        assert running.get(SETTINGS).json["faults"]["receipt_delay"] == 20


def test_throttle_comes_and_goes():
    with sandbox() as running:
        running.call("POST", SETTINGS, {"faults": {"throttle": "7020"}})
        assert running.send().code == "7020"
        running.call("POST", SETTINGS, {"faults": {"throttle": 429}})
        assert running.send().status == 429
        running.call("POST", SETTINGS, {"faults": {"throttle": ""}})
        assert running.send().status == 201


def test_switches_and_rate_change():
    with sandbox() as running:
        running.call("POST", SETTINGS, {"switches": {"accepted_as": "202"}, "tps": 1})
        assert [running.send().status for _ in range(3)] == [202, 429, 429]
        running.call("POST", SETTINGS, {"tps": 0})
        assert [running.send().status for _ in range(3)] == [202, 202, 202]


def test_a_number_gets_an_outcome_of_its_own():
    with receiver() as taken, sandbox() as running:
        given = {"+447700900001": "un-delivered", "447946000001": "7206", "447946000002": "no-receipt"}
        told = running.call("POST", SETTINGS, {"outcomes": given}).json["outcomes"]
        assert told == {"447700900001": "un-delivered", "447946000001": "7206", "447946000002": "no-receipt"}
        running.send(["447700900001", "447946000001"], notifyUrl=taken.url, requestedReceipts=["FAILED"])
        found = {
            one.json["deliveryInfoNotification"]["deliveryInfo"]["destination"]: one.code
            for one in taken.wait(2)
        }
        assert found == {"447700900001": "7203", "447946000001": "7206"}
        running.call("POST", SETTINGS, {"outcomes": {"447700900001": None}})
        running.send("+447700900001")
        assert running.last()["outcome"] == "delivered"
        running.send("447946000002")
        assert running.last()["outcome"] == "no-receipt"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"fault": {}}, "'fault'"),
        ({"faults": {"http_501": 1}}, "'http_501'"),
        ({"faults": {"http_500": 2}}, "http_500"),
        ({"faults": {"http_500": "often"}}, "http_500"),
        ({"faults": {"http_500": True}}, "http_500"),
        ({"faults": {"http_500": [1]}}, "http_500"),
        ({"faults": {"throttle": "420"}}, "throttle"),
        ({"faults": []}, "faults"),
        ({"switches": {"colour": "red"}}, "'colour'"),
        ({"switches": {"accepted_as": "204"}}, "accepted_as"),
        ({"switches": {"accepted_as": None}}, "accepted_as"),
        ({"switches": "all"}, "switches"),
        ({"tps": -1}, "tps"),
        ({"tps": "7"}, "tps"),
        ({"tps": True}, "tps"),
        ({"outcomes": {"0770": "delivered"}}, "'0770'"),
        ({"outcomes": {"447946000001": "lost"}}, "'lost'"),
        ({"outcomes": {"447946000001": 7203}}, "447946000001"),
        ([], "JSON object"),
        ("{", "not JSON"),
    ],
)
def test_a_wrong_name_is_a_sentence_and_changes_nothing(given, named):
    with sandbox() as running:
        before = running.get(SETTINGS).json
        if isinstance(given, dict) and "tps" not in given:
            given = {"tps": 5} | given
        assert named in error(running.call("POST", SETTINGS, given))
        assert running.get(SETTINGS).json == before


def test_reset_forgets_messages_receipts_and_links():
    links = {"domain": "https://uk.wbxc.io", "shortenLinks": True}
    with receiver() as taken, sandbox() as running:
        told = running.send(text="https://shop.example/o/1", options=links, notifyUrl=taken.url)
        taken.wait(2)
        path = "/" + running.last()["text"].rsplit("/", 1)[1]
        assert running.get(path).status == 302
        running.call("POST", SETTINGS, {"tps": 50})
        assert running.call("POST", "/__sandbox__/reset").json == {"status": "ok"}
        assert running.log() == []
        assert running.get("/__sandbox__/handsets").json == {}
        health = running.get("/__sandbox__/health").json
        assert health == {"status": "ok", "messages": 0, "receipts": 0, "receiptsWaiting": 0}
        assert running.get(path).status == 404
        assert running.get(f"/v2/messages/{told.json['messageId']}", {"key": "any"}).status == 404
        assert running.get(SETTINGS).json["tps"] == 50
        assert running.send(notifyUrl=taken.url).status == 201
        taken.wait(4)


def test_reset_takes_back_receipts_that_were_to_come():
    with endpoint() as taken, sandbox(retry_seconds=0.3) as running:
        running.send(notifyUrl=f"{taken.url}/answer/503")
        taken.wait(1)
        running.call("POST", "/__sandbox__/reset")
        calls = len(taken.calls)
        time.sleep(0.8)  # the final receipt and three retries would have come
        assert len(taken.calls) == calls
        assert running.log() == []


def test_reset_takes_back_an_attempt_under_way():
    with endpoint() as taken, sandbox(retry_seconds=0.05) as running:
        running.send(notifyUrl=f"{taken.url}/slow", requestedReceipts=["SUBMITTED"])
        taken.wait(1)
        running.call("POST", "/__sandbox__/reset")
        time.sleep(1.0)
        assert running.log() == []
        assert len(taken.calls) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_reset_is_posted(method):
    with sandbox() as running:
        running.send()
        answer = running.call(method, "/__sandbox__/reset")
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        assert len(running.log()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
    ],
)
def test_pages_of_other_sites_are_not_heard(headers):
    with sandbox() as running:
        running.send()
        for path in ("/__sandbox__/reset", SETTINGS, "/__sandbox__/inbound"):
            assert running.call("POST", path, {}, headers).status == 403
        assert running.get("/__sandbox__/handsets", headers).status == 403
        assert len(running.log()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{}", "[::1]:{}"])
def test_this_machine_is_heard_by_each_of_its_names(host):
    with sandbox() as running:
        name = host.format(running.port)
        headers = {"Host": name, "Origin": f"http://{name}"}
        assert running.call("POST", "/__sandbox__/reset", headers=headers).status == 200


def test_it_listens_on_this_machine_alone():
    with sandbox() as running:
        [address] = {socket.getsockname()[0] for socket in running.listening.server.server.sockets}
        assert address == "127.0.0.1"


def test_a_page_that_there_is_not_is_named():
    with sandbox() as running:
        answer = running.get("/__sandbox__/setings")
        assert answer.status == 404
        assert "settings" in answer.json["error"]


def test_health_counts():
    with receiver() as taken, sandbox() as running:
        running.send(["447946000001", "447946000002"], notifyUrl=taken.url)
        taken.wait(4)
        end = time.monotonic() + 60
        while (health := running.get("/__sandbox__/health").json)["receipts"] < 4 or health[
            "receiptsWaiting"
        ]:
            assert time.monotonic() < end, health
            time.sleep(0.02)
        assert health == {"status": "ok", "messages": 2, "receipts": 4, "receiptsWaiting": 0}


def test_a_request_without_host_is_answered():
    with sandbox() as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
        connection.putrequest("GET", "/__sandbox__/health", skip_host=True)
        connection.endheaders()
        answer = connection.getresponse()
        assert json.loads(answer.read())["status"] == "ok"
        connection.close()
