"""How receipts travel: attempts, retries, headers, signatures, parked and refused ones, and the faults on the way."""

import asyncio
import hmac
import json
import time
from typing import Any

import pytest

from sms.webex.sandbox.receipt_sender import ReceiptSender, sign
from sms.webex.sandbox.receipts import SandboxReceipt
from sms.webex.sandbox.settings import Settings, auths_of
from tests.sandbox.endpoint import Endpoint, endpoint
from tests.sandbox.running import Running, order, receiver, sandbox

NEVER_AGAIN = (
    *(202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308),
    *(400, 402, 404, 405, 406, 407, 408, 409, 410, 411, 414, 415, 416, 418, 505),
)
AGAIN = (
    401,
    403,
    412,
    413,
    417,
    421,
    422,
    423,
    424,
    425,
    426,
    428,
    429,
    431,
    451,
    500,
    501,
    502,
    503,
    504,
    506,
    511,
)
ONE = ["DELIVERED"]


def settled(running: Running, attempts: int) -> list[dict[str, Any]]:
    """The attempts of the log, once there are as many; one that is too many would show."""
    end = time.monotonic() + 60
    while (
        len(running.log("receipt")) < attempts or running.get("/__sandbox__/health").json["receiptsWaiting"]
    ):
        assert time.monotonic() < end, running.log("receipt")
        time.sleep(0.02)
    return running.log("receipt")


def send(running: Running, url: str, **more: Any) -> None:
    assert running.send(notifyUrl=url, requestedReceipts=ONE, **more).status == 201


def test_three_retries_after_the_first_attempt_and_no_more():
    with endpoint() as taken, sandbox(retry_seconds=0.1) as running:
        send(running, f"{taken.url}/answer/503?a=1")
        lines = settled(running, 4)
        time.sleep(0.3)
        assert [one["attempt"] for one in running.log("receipt")] == [1, 2, 3, 4]
        assert {one["answer"] for one in lines} == {503}
        assert {one.path for one in taken.calls} == {"/answer/503?a=1"}
        assert len({one.headers["x-wx-gtrid"] for one in taken.calls}) == 1
        assert len({one.body for one in taken.calls}) == 1
        gaps = [after.at - before.at for before, after in zip(taken.calls, taken.calls[1:], strict=False)]
        assert min(gaps) >= 0.095
        assert max(gaps) < 30, "far from the documented minute"


def test_growing_gaps_by_switch():
    with endpoint() as taken, sandbox(retry_seconds=0.6, switch="retry_gaps=30_60_120") as running:
        first = 0.6
        for tries in range(1, 11):  # a busy machine makes a gap longer, and never shorter
            send(running, f"{taken.url}/answer/500")
            calls = taken.wait(4 * tries)[-4:]
            gaps = [after.at - before.at for before, after in zip(calls, calls[1:], strict=False)]
            assert gaps[0] >= 0.295, gaps
            assert gaps[1] >= 0.595, gaps
            assert gaps[2] >= 1.195, gaps
            first = min(first, gaps[0])
            if first < 0.6:
                break
        assert first < 0.6, "half of the gap"


def test_the_documented_gap_is_a_minute():
    with endpoint() as taken, sandbox() as running:
        send(running, f"{taken.url}/answer/500")
        settled(running, 1)
        time.sleep(0.3)
        assert len(taken.calls) == 1
        assert running.listening.sandbox.tenant.settings.retry_seconds == 60


def test_a_retry_that_is_answered_200_is_the_last():
    with endpoint() as taken, sandbox(retry_seconds=0.05) as running:
        send(running, f"{taken.url}/once/503")
        assert [one["answer"] for one in settled(running, 2)] == [503, 200]
        time.sleep(0.15)
        assert len(taken.calls) == 2


def test_every_answer_of_the_list_ends_it_and_others_do_not():
    with endpoint() as taken, sandbox(retry_seconds=0.1) as running:
        for status in (*NEVER_AGAIN, *AGAIN, 200):
            send(running, f"{taken.url}/answer/{status}")
        taken.wait(len(NEVER_AGAIN) + 1 + 4 * len(AGAIN))
        time.sleep(0.25)
        counts = {int(one.path.rsplit("/", 1)[1]): 0 for one in taken.calls}
        for one in taken.calls:
            counts[int(one.path.rsplit("/", 1)[1])] += 1
        assert counts == dict.fromkeys((*NEVER_AGAIN, 200), 1) | dict.fromkeys(AGAIN, 4)


@pytest.mark.parametrize(("choice", "calls"), [("retry", 4), ("success", 1)])
def test_201_is_in_no_list(choice, calls):
    with endpoint() as taken, sandbox(retry_seconds=0.05, switch=f"answer_201={choice}") as running:
        send(running, f"{taken.url}/answer/201")
        settled(running, calls)
        time.sleep(0.15)
        assert len(taken.calls) == calls


def test_an_answer_that_takes_too_long_is_a_failed_attempt():
    with endpoint() as taken, sandbox(attempt_seconds=0.2, retry_seconds=0.05) as running:
        send(running, f"{taken.url}/slow")
        assert [one["answer"] for one in settled(running, 4)] == ["timeout"] * 4
        assert len(taken.calls) == 4


def test_ten_seconds_are_the_documented_patience():
    with endpoint() as taken, sandbox() as running:
        send(running, f"{taken.url}/slow")  # slower than the test above allowed
        assert running.listening.sandbox.tenant.settings.attempt_seconds == 10
        taken.wait(1)
        assert settled(running, 1)[0]["answer"] == "connection lost"


def test_a_connection_that_breaks_is_tried_again():
    with endpoint() as taken, sandbox(retry_seconds=0.05) as running:
        send(running, f"{taken.url}/drop")
        assert [one["answer"] for one in settled(running, 4)] == ["connection lost"] * 4
        assert len(taken.calls) == 4


def test_no_answer_is_tried_again():
    with sandbox(retry_seconds=0.02) as running:
        send(running, "http://127.0.0.1:9/receipts")
        lines = settled(running, 4)
        assert len(lines) == 4
        assert all(one["answer"].startswith("no connection: ") for one in lines)


def test_a_kept_connection_that_went_stale_costs_no_attempt():
    with endpoint() as taken, sandbox() as running:
        for number in range(1, 5):
            send(running, f"{taken.url}/hang-up")
            assert [one["answer"] for one in settled(running, number)] == [200] * number
        assert {one["attempt"] for one in running.log("receipt")} == {1}
        assert len(taken.calls) == 4


@pytest.mark.parametrize(
    "url", [" https://127.0.0.1/x", "https://", "ftp://127.0.0.1/x", "nonsense", "http://[::1"]
)
def test_what_is_no_url_is_never_called(url):
    with sandbox(retry_seconds=0.02) as running:
        send(running, url)
        lines = settled(running, 1)
        time.sleep(0.1)
        assert (
            [one["answer"] for one in running.log("receipt")] == ["invalid notifyUrl"] == [lines[0]["answer"]]
        )


@pytest.mark.parametrize("path", ["/head/200", "/answer/200"])
def test_a_head_that_is_answered_200_comes_before_the_first_post(path):
    with endpoint() as taken, sandbox(switch=["head_check=yes", "signed=both"], hub_secret="s") as running:
        for _ in range(3):
            send(running, taken.url + path)
        settled(running, 3)
        send(running, taken.url + path)
        settled(running, 4)
        assert taken.methods() == ["HEAD", "POST", "POST", "POST", "POST"]
        assert {one["answer"] for one in running.log("receipt")} == {200}
        assert "x-hub-signature" not in taken.calls[0].headers


def test_without_200_to_the_head_nothing_is_posted():
    with endpoint() as taken, sandbox(switch="head_check=yes", retry_seconds=0.02) as running:
        send(running, f"{taken.url}/head/405")
        assert [one["answer"] for one in settled(running, 1)] == ["HEAD: 405"]
        send(running, f"{taken.url}/head/405")
        settled(running, 2)
        time.sleep(0.1)
        assert set(taken.methods()) == {"HEAD"}


def test_no_head_without_the_switch():
    with endpoint() as taken, sandbox() as running:
        send(running, f"{taken.url}/head/405")
        settled(running, 1)
        assert taken.methods() == ["POST"]


def test_each_receipt_has_a_trace_id_and_json():
    with endpoint() as taken, sandbox() as running:
        running.send(notifyUrl=f"{taken.url}/hook?token=1")
        calls = taken.wait(2)
        assert len({one.headers["x-wx-gtrid"] for one in calls}) == 2
        assert all(len(one.headers["x-wx-gtrid"]) == 32 for one in calls)
        assert {one.headers["content-type"] for one in calls} == {"application/json"}
        assert all("x-hub-signature" not in one.headers for one in calls)
        assert {one.path for one in calls} == {"/hook?token=1"}


@pytest.mark.parametrize("prefix", ["yes", "no"])
@pytest.mark.parametrize(("name", "length"), [("sha256", 64), ("sha512", 128), ("sha1", 40)])
def test_signature_over_the_bytes_that_arrive(name, length, prefix):
    switches = ["signed=both", f"signature_hash={name}", f"signature_prefix={prefix}"]
    with endpoint() as taken, sandbox(hub_secret="a secret, Ж", switch=switches) as running:
        send(running, taken.url, callbackData="Grüße, 1")
        [call] = taken.wait(1)
        digest = hmac.new("a secret, Ж".encode(), call.body, name).hexdigest()
        assert len(digest) == length
        assert call.headers["x-hub-signature"] == (f"{name}={digest}" if prefix == "yes" else digest)


def test_signature_of_the_reference():
    """The vector was computed outside this project, from the provider's description."""
    body = (
        b'{"deliveryInfoNotification":{"deliveryInfo":{"timeStamp":"2026-03-02T09:15:07.412Z","Description":"Delivered",'
        b'"code":"7500","messageCount":"1","deliveryChannel":"SMS","additionalInfo":"","destination":"447700900123",'
        b'"destinationType":"msisdn","deliveryStatus":"Delivered"},"carrier":"","subtid":"",'
        b'"transid":"5b0c9a52-7c1e-4f3a-9d55-0f4c2b7e8a10","callbackData":"order=981","correlationid":"c-0001"}}'
    )
    short = sign("sim-hub-secret-01", body, algorithm="sha256", prefix=True)
    assert short == b"sha256=ea9dea73824e9a1f85fbcc3f6fb87ca4a1a367e8f2d6aefacd4f530494886eee"
    long = sign("sim-hub-secret-01", body, algorithm="sha512", prefix=False)
    assert long == (
        b"00a8dac491d4b5d6a848a2990e67d015b265555a872befff7a648a9abb43c67b"
        b"b228460a2b9f327b16c6f47e34ae3b818dda284f9ec258e5ba924b48553bef33"
    )


def test_a_known_authorization_sends_its_header():
    with (
        endpoint() as taken,
        sandbox(auth=["TNABCDE09U=Authorization: Basic dTpw", "TNZZZZZ09U=x-api-key:k 1"]) as running,
    ):
        send(running, f"{taken.url}/a", notifyUrlAuthId="TNABCDE09U")
        send(running, f"{taken.url}/b", notifyUrlAuthId="TNZZZZZ09U")
        send(running, f"{taken.url}/c")
        calls = {one.path: one.headers for one in taken.wait(3)}
        assert calls["/a"]["authorization"] == "Basic dTpw"
        assert calls["/b"]["x-api-key"] == "k 1"
        assert "authorization" not in calls["/c"]


def test_an_unknown_authorization_parks_the_receipts_of_a_message_that_goes_out():
    with (
        endpoint() as taken,
        sandbox(auth="TNABCDE09U=Authorization: Basic dTpw", retry_seconds=0.02) as running,
    ):
        send(running, taken.url, notifyUrlAuthId="TNOTHER09U")
        assert [one["answer"] for one in settled(running, 1)] == ["parked: unknown notifyUrlAuthId"]
        time.sleep(0.1)
        assert taken.calls == []
        assert running.last()["outcome"] == "delivered"


@pytest.mark.parametrize(
    "given", ["TN", "TN=Authorization", "=Authorization: x", "TN=Bad Name: x", "TN=A: x\r\nB: y", "TN=A:"]
)
def test_a_wrong_authorization_is_refused_with_a_sentence(given):
    with pytest.raises(ValueError, match=r"^--auth takes .*\.$"):
        auths_of([given])


# -- faults on the way


def infos(taken: Endpoint) -> list[dict[str, Any]]:
    """What the receipts say, in the order in which they were sent: two on their way at once may overtake one another."""
    found = [json.loads(one.body)["deliveryInfoNotification"]["deliveryInfo"] for one in taken.calls]
    return sorted(found, key=lambda one: one["timeStamp"])


def codes(taken: Endpoint) -> list[str]:
    return [one["code"] for one in infos(taken)]


def test_fault_duplicate():
    with endpoint() as taken, sandbox(fault="receipt_duplicate=1") as running:
        running.send(notifyUrl=taken.url)
        taken.wait(4)
        assert sorted(codes(taken)) == ["7500", "7500", "7501", "7501"]
        assert len({one.headers["x-wx-gtrid"] for one in taken.calls}) == 4


def test_fault_drop():
    with endpoint() as taken, sandbox(fault="receipt_drop=1") as running:
        running.send(notifyUrl=taken.url)
        time.sleep(0.7)  # a final receipt comes after 0.48 s at the latest
        assert taken.calls == []
        assert running.log("receipt") == []
        assert [one["kind"] for one in running.log()] == ["message"]


def test_fault_delay():
    with endpoint() as taken, sandbox(fault="receipt_delay=600") as running:
        start = time.monotonic()
        running.send(notifyUrl=taken.url)
        calls = taken.wait(2)
        assert calls[0].at - start >= 0.6 + 0.04
        assert calls[1].at - start >= 0.6 + 0.32


def test_fault_shuffle():
    with endpoint() as taken, sandbox(fault="receipt_shuffle=1", seed=5) as running:
        running.send([f"4479460{n:05}" for n in range(40)], notifyUrl=taken.url)
        taken.wait(80)
        order_of: dict[str, list[str]] = {}
        for info in infos(taken):
            order_of.setdefault(info["destination"], []).append(info["code"])
        kinds = {tuple(one) for one in order_of.values()}
        assert kinds == {("7501", "7500"), ("7500", "7501")}


def test_in_order_without_faults():
    with endpoint() as taken, sandbox() as running:
        running.send([f"4479460{n:05}" for n in range(40)], notifyUrl=taken.url)
        taken.wait(80)
        assert codes(taken) == ["7501"] * 40 + ["7500"] * 40


def test_receipts_before_the_reply():
    with receiver() as taken, sandbox() as running:
        answer = running.send("447700900008", notifyUrl=taken.url)
        assert answer.status == 201
        assert {one.code for one in taken.got} == {"7501", "7500"}  # they were there before the reply was


def test_the_reply_does_not_wait_for_a_receiver_forever():
    with endpoint() as taken, sandbox() as running:
        slow = order("447700900008", notifyUrl="http://127.0.0.1:9/", requestedReceipts=ONE)
        assert running.post(slow).status == 201
        assert taken.calls == []


def test_muddled_receipts_come_twice_and_the_final_first():
    with endpoint() as taken, sandbox() as running:
        running.send("447700900006", notifyUrl=taken.url)
        taken.wait(4)
        assert codes(taken) == ["7500", "7500", "7501", "7501"]


def test_a_connection_that_opens_while_the_sandbox_ends_is_closed():
    async def end_while_opening(url: str) -> set[object]:
        sender = ReceiptSender(lambda *_: None, Settings, lambda *_: None)
        sender.deliver(receipt_for(url))
        await asyncio.sleep(0)
        await sender.close()
        return asyncio.all_tasks() - {asyncio.current_task()}

    with endpoint() as taken:
        assert asyncio.run(end_while_opening(taken.url)) == set()
        assert taken.calls == []


def receipt_for(url: str) -> SandboxReceipt:
    return SandboxReceipt(
        url=url, body=b"{}", msisdn="", message_id="", correlation="", code="7500", status="Delivered"
    )


@pytest.mark.parametrize("signed", ["webhook", "both", "notify_url"])
def test_the_webhook_of_the_service_gets_every_receipt_beside_the_notify_url(signed):
    """`requestedReceipts` is about the notifyUrl alone."""
    with (
        endpoint() as taken,
        endpoint() as hook,
        sandbox(hub_secret="s", webhook=f"{hook.url}/hook", switch=f"signed={signed}") as running,
    ):
        send(running, f"{taken.url}/own")
        [own] = taken.wait(1)
        both = hook.wait(2)
        assert own.body in {one.body for one in both}, "the same bytes"
        assert {one.path for one in both} == {"/hook"}
        assert ("x-hub-signature" in own.headers) is (signed != "webhook")
        assert all(("x-hub-signature" in one.headers) is (signed != "notify_url") for one in both)


def test_the_webhook_hears_of_messages_without_a_notify_url():
    with endpoint() as hook, sandbox(webhook=hook.url) as running:
        running.send()
        assert len(hook.wait(2)) == 2
