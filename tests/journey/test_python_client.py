"""The client package against a running Textdesk, and against one that breaks: what it repeats, what it refuses, whom it believes."""

import json
import os
import re
import subprocess
import sys
import uuid
from base64 import b64encode
from datetime import UTC, datetime
from itertools import islice

import httpx
import pytest
from standardwebhooks import Webhook

from tests.support.processes import ROOT, until

pytestmark = pytest.mark.once  # what the client does


@pytest.fixture(scope="module")
def textdesk_client(python_client):
    sys.path.insert(0, str(python_client))
    try:
        import textdesk_client

        yield textdesk_client
    finally:
        sys.path.remove(str(python_client))


@pytest.fixture
def desk(textdesk_client, running):
    scopes = "send,read,catalogue,callbacks"
    made = running.manage("api_key", "--service", "demo", "--name", uuid.uuid4().hex, "--scopes", scopes)
    with textdesk_client.Textdesk(running.url, made.stdout.strip()) as desk:
        yield desk


class Breaking(httpx.BaseTransport):
    """Each request goes through, and of some the answer is lost or another one is given, or something happens behind it."""

    def __init__(self, *instead: object) -> None:
        self.inner, self.instead, self.keys = httpx.HTTPTransport(), list(instead), []

    def close(self):
        self.inner.close()

    def handle_request(self, request):
        self.keys.append(request.headers.get("Idempotency-Key"))
        answer = self.inner.handle_request(request)
        instead = self.instead.pop(0) if self.instead else None
        if instead is None:
            return answer
        if callable(instead):
            answer.read()
            instead()
            return answer
        answer.close()
        if isinstance(instead, Exception):
            raise instead
        return httpx.Response(instead, headers={"Retry-After": "0"}, request=request)


def test_a_send_is_planned_made_followed_and_told_of(desk):
    mark = uuid.uuid4().hex
    order = {"text": "Hello", "recipients": ["+447700900001", "+447700900002"]}
    assert desk.plan(**order).recipient_count == 2
    made = desk.send(**order, client_reference=mark)
    send = desk.wait_until_settled(made.id, timeout=120)
    assert send.state == "settled" and send.outstanding == 0
    assert send.counts.to_dict() == {"delivered": 1, "failed": 1}
    assert {one.state for one in desk.messages(send=made.id, limit=1)} == {"delivered", "failed"}
    types = ["message.delivered", "message.failed", "send.settled"]
    # on PostgreSQL what others in the same server have not ended keeps events back for a moment
    until(lambda: len(list(desk.events(types=types, follow=False))) == 3, "all of it is told")
    told = list(desk.events(types=types, follow=False))
    assert sorted(one.type for one in told if one.data["send"] == made.id) == types
    assert all(one.timestamp.tzinfo for one in told) and [one.cursor for one in told[:-1]] == [""] * (
        len(told) - 1
    )
    assert list(desk.events(after=told[-1].cursor, follow=False, types=types)) == []
    later = desk.send(text="Hello", recipients=["+447700900001"])
    following = desk.events(after=told[-1].cursor, types=types)
    assert next(following).data["send"] == later.id


def test_the_time_can_be_over_before_the_end(desk, textdesk_client):
    made = desk.send(text="Hello", recipients=["+447700900001"], send_at="2090-01-01T09:00:00Z")
    with pytest.raises(textdesk_client.NotSettled, match="scheduled and waits for send_at") as late:
        desk.wait_until_settled(made.id, timeout=0.2)
    assert late.value.send.id == made.id


def test_a_textdesk_that_is_away_for_a_while_is_waited_for(desk, textdesk_client, running):
    gone = httpx.ConnectError("gone")
    made = desk.send(text="Hello", recipients=["+447700900001"], send_at="2090-01-01T09:00:00Z")

    def shaky(*instead):
        breaking = Breaking(*instead)
        return textdesk_client.Textdesk(
            running.url, desk.generated.token, tries=2, transport=breaking
        ), breaking

    begun, asked = shaky(None, gone, gone, 503, 503)
    with begun, pytest.raises(textdesk_client.NotSettled):
        begun.wait_until_settled(made.id, timeout=10)
    assert len(asked.keys) > 5
    here = list(desk.events(follow=False))
    follower, _ = shaky(lambda: desk.send(text="Hello", recipients=["+447700900001"]), gone, gone)
    with follower:
        assert next(follower.events(after=here[-1].cursor if here else "", wait=1)).data["send"] > made.id
    never, _ = shaky(gone, gone, gone, gone)
    with never:
        with pytest.raises(httpx.ConnectError):
            never.wait_until_settled(made.id)
        with pytest.raises(httpx.ConnectError):
            next(never.events())


def test_following_from_now_can_go_on_in_the_middle(desk, textdesk_client, running):
    def send():
        numbers = ["+447700900001", "+447700900002"]
        desk.wait_until_settled(desk.send(text="Hello", recipients=numbers).id, timeout=120)

    with textdesk_client.Textdesk(running.url, desk.generated.token, transport=Breaking(send)) as follower:
        told = list(islice(follower.events(after="now"), 4))
    again = [one.id for one in desk.events(after=told[0].cursor, follow=False)]
    place = again.index(told[1].id)
    assert again[place : place + 3] == [one.id for one in told[1:]]


def test_a_misspelt_field_is_refused_and_not_left_out(desk, textdesk_client):
    good = {"text": "Hello", "recipients": ["+447700900001"]}
    wrong = (
        ("sendat", {"sendat": "2090-01-01T09:00:00Z"}),
        ("recipients[0].refrence", {"recipients": [{"number": "+447700900001", "refrence": "a"}]}),
        ("fillings.name", {"text": "Hi $(name)", "fillings": {"name": {"fallbak": "you"}}}),
    )
    for field, instead in wrong:
        for call in (desk.plan, desk.send):
            with pytest.raises(textdesk_client.Refused) as refused:
                call(**good | instead)
            assert [one.field for one in refused.value.errors] == [field]


def test_a_lost_answer_makes_no_second_send(desk, textdesk_client, running):
    key = desk.generated.token
    breaking = Breaking(httpx.ReadError("lost"), 502, 429)
    with textdesk_client.Textdesk(running.url, key, transport=breaking) as shaky:
        made = shaky.send(text="Hello", recipients=["+447700900001"])
    assert len(breaking.keys) == 4 and len(set(breaking.keys)) == 1 and breaking.keys[0]
    rows = running.rows(f"Send.objects.filter(created_at__gte='{datetime.now(UTC):%Y-%m-%d}').values('pk')")
    assert [one["pk"] for one in rows].count(made.id) == 1
    named = uuid.uuid4().hex
    ids = {desk.send(text="Hi", recipients=["+447700900001"], idempotency_key=named).id for _ in range(2)}
    assert len(ids) == 1


def test_what_is_refused_says_code_field_and_row(desk, textdesk_client, running):
    with pytest.raises(textdesk_client.Refused) as refused:
        desk.send(text="Hello", recipients=[{"number": ""}, "+447700900001"])
    assert refused.value.status in (400, 422) and refused.value.code and refused.value.request_id
    (error,) = refused.value.errors
    assert error.field.startswith("recipients[0]") and error.row == 1 and error.code and error.detail
    asked = Breaking(503, 503)
    with textdesk_client.Textdesk(running.url, "td_live_nobody", tries=2, transport=asked) as nobody:
        with pytest.raises(textdesk_client.Refused) as away:
            list(nobody.messages())
        assert away.value.status == 503 and len(asked.keys) == 2
        with pytest.raises(textdesk_client.Refused) as unknown:
            list(nobody.messages())
        assert (unknown.value.status, unknown.value.code) == (401, "unauthorized")


def test_callbacks_are_believed_as_standard_webhooks_has_it(textdesk_client):
    secret, other = ("whsec_" + b64encode(bytes([one]) * 32).decode() for one in (1, 2))
    body = json.dumps(
        {"type": "message.delivered", "timestamp": "2026-03-02T09:15:07.412Z", "data": {"send": 1}}
    )
    at = datetime.now(UTC)
    headers = {
        "Webhook-Id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"v1,AAAA {Webhook(secret).sign('evt_1', at, body)}",
    }
    event = textdesk_client.verify(body.encode(), headers, [other, secret])
    assert (event.id, event.type, event.data["send"], event.test) == ("evt_1", "message.delivered", 1, False)
    doubted = [
        (body.encode() + b" ", headers, secret, None),
        (body.encode(), headers, other, None),
        (body.encode(), headers, secret, at.timestamp() + 302),
        (body.encode(), headers, secret, at.timestamp() - 302),
        (body.encode(), headers | {"webhook-timestamp": "soon"}, secret, None),
        (body.encode(), {}, secret, None),
    ]
    for content, given, key, now in doubted:
        with pytest.raises(textdesk_client.NotGenuine):
            textdesk_client.verify(content, given, key, now=now)


def test_the_receiver_of_the_guide_believes_what_is_signed(python_client, tmp_path):
    """Saved under the name in its first line, and asked without a server."""
    guide = (ROOT / "docs" / "partners" / "python-client.md").read_text("utf-8")
    (receiver,) = re.findall(r"```python\n# callbacks_in_flask\.py\n(.*?)```", guide, flags=re.DOTALL)
    (tmp_path / "callbacks_in_flask.py").write_text(receiver)
    secret, at = "whsec_" + b64encode(bytes(32)).decode(), datetime.now(UTC)
    asked = []
    for data in (
        {"type": "endpoint.verification", "data": {"challenge": "q8n"}},
        {"type": "message.delivered"},
    ):
        body = json.dumps({"id": "evt_1", "timestamp": at.isoformat()} | data)
        headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp()))}
        headers["webhook-signature"] = Webhook(secret).sign("evt_1", at, body)
        asked += [(body, headers), (body + " ", headers)]
    program = f"""
from callbacks_in_flask import app
for body, headers in {asked!r}:
    answer = app.test_client().post("/textdesk", data=body, headers=headers)
    print(answer.status_code, answer.text)
"""
    env = os.environ | {"SECRET": secret, "PYTHONPATH": f"{python_client}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    assert [line.strip() for line in done.stdout.splitlines()] == [
        *("200 q8n", "401"),
        *("evt_1 message.delivered", "204", "401"),
    ]
