"""Whatever JSON comes in, the sandbox has an answer for it: an order, or a refusal with a documented code."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.sandbox import rules
from sms.webex.sandbox.fields import FIELDS
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import TABLE, switches_of
from tests.sandbox.running import Running, order, sandbox

NOW = 1_800_000_000.0
SYNCHRONOUS = {"7000", "7003", "7004", "7009", "7101", "7102", "7107", "7108", "7126"}

words = st.sampled_from(
    ["", " ", "true", "text", "sms", "447700900101", "+1", "$(a)", "{{smartlink_4371}}", "\ud800", "9" * 40]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5)
names = st.sampled_from(sorted(set().union(*FIELDS.values())))
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
settings = st.lists(
    st.sampled_from([f"{one.name}={choice}" for one in TABLE for choice in one.metadata["choices"]]),
    max_size=12,
).map(lambda given: Settings(switches=switches_of(given)))


def verdict(body: dict[str, Any], chosen: Settings) -> str:
    try:
        read, destinations = rules.read(json.dumps(body).encode(), chosen, NOW)
    except SandboxRefused as refusal:
        assert json.loads(refusal.answer(chosen.switches).body)["message"]
        return refusal.code
    assert len(destinations) >= 1
    assert read.sender == body["from"]
    return "201"


@given(st.dictionaries(names, values, max_size=3), settings)
def test_request_with_anything_in_some_fields_is_taken_or_refused(change: dict[str, Any], chosen: Settings):
    assert verdict(order() | change, chosen) in SYNCHRONOUS | {"201"}


@pytest.mark.parametrize("block", ["to", "content", "template", "options", "contactPolicy", "smartlinks"])
@given(data=st.data())
def test_block_with_anything_in_its_fields_is_taken_or_refused(block: str, data: st.DataObject):
    fields = st.sampled_from(sorted(FIELDS[block]))
    inner = data.draw(st.dictionaries(fields, values, max_size=3))
    body = order() | {block: [inner] if block in ("to", "smartlinks") else inner}
    if block == "template":
        del body["content"]
    assert verdict(body, data.draw(settings)) in SYNCHRONOUS | {"201"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with sandbox(fault="receipt_drop=1", log_limit=20) as found:
        yield found


@given(
    change=st.dictionaries(names, values, max_size=2), flag=st.sampled_from(["shortenLinks", "trackClicks"])
)
def test_nothing_that_is_taken_makes_the_server_stumble(running: Running, change: dict[str, Any], flag: str):
    options = {"domain": "uk.wbxc.io", flag: "true"}
    text = "https://a.example/\ud800 {{smartlink_4371}} $(a)"
    answer = running.post(order(text=text, options=options) | change)
    assert answer.status in (201, 400)
    assert running.get("/__sandbox__/log").status == 200
    assert running.get("/__sandbox__/handsets").status == 200
    if answer.status == 201:
        assert running.get(f"/v2/messages/{answer.json['messageId']}", {"key": "k"}).status == 200
