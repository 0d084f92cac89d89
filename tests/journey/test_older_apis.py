"""The provider's older send APIs on a running Textdesk: sent, delivered by the sandbox, reported to the caller, read back."""

import json
import urllib.request
import uuid

import pytest

from tests.support.callback_receiver import receiving
from tests.support.processes import until

NUMBER = "+447712399001"


@pytest.fixture(scope="module")
def key(shared_textdesk):
    return shared_textdesk.manage(
        *("api_key", "--service", "demo", "--name", "older", "--scopes", "send,read,numbers,texts")
    ).stdout.strip()


def call(running, key: str, path: str, content: object = None):
    raw = None if content is None else json.dumps(content).encode()
    asked = urllib.request.Request(running.url + path, raw, {"key": key, "Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read())


def reported(receiver, mark: str) -> list[tuple[str, str]]:
    """Id and state of each receipt with this correlation id."""
    told = [one.json["deliveryInfoNotification"] for one in receiver.heard]
    return [
        (one["transid"], one["deliveryInfo"]["deliveryStatus"])
        for one in told
        if one["correlationid"] == mark
    ]


def test_a_message_of_the_sms_api_is_reported_and_read_back(running, key):
    mark = uuid.uuid4().hex
    with receiving() as receiver:
        asked = {"from": "TEXTDESK", "to": NUMBER, "content": f"Hello {mark}", "correlationId": mark}
        message_id = call(running, key, "/v1/sms/messages", asked | {"callbackUrl": f"{receiver.url}/r"})[
            "messageId"
        ]
        until(lambda: (message_id, "Delivered") in reported(receiver, mark), "its receipt came")
    found = call(running, key, f"/v1/sms/messages/{message_id}")
    assert (found["status"], found["to"], found["content"]) == ("DELIVERED", NUMBER, f"Hello {mark}")


def test_a_message_of_the_messaging_api_is_reported_and_read_back(running, key):
    mark = uuid.uuid4().hex
    with receiving() as receiver:
        asked = {
            "deliverychannel": "sms",
            "destination": [{"msisdn": [NUMBER], "correlationid": mark}],
            "channels": {"sms": {"senderid": "TEXTDESK", "text": f"Hello {mark}"}},
            "notifyurl": f"{receiver.url}/r",
        }
        (said,) = call(running, key, "/resources/v1/messaging", asked)["response"]
        assert said["code"] == "1001"
        until(lambda: (said["transid"], "Delivered") in reported(receiver, mark), "its receipt came")
    (found,) = call(running, key, f"/resources/v1/messaging/status/{said['transid']}")
    assert (found["status"], found["to"]) == ("delivered", NUMBER)
