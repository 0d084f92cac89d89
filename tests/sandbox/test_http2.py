"""The sandbox over HTTP/2, by a client that knows beforehand: the same answers as over HTTP/1.1, many at a time, and to long bodies."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.running import WAIT, Running, order, sandbox

KEY = {"key": "k", "content-type": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with sandbox(fault="receipt_drop=1") as found:
        yield found


@pytest.fixture
def http2(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, http1=False, http2=True, timeout=WAIT, headers=KEY) as client:
        yield client


def streamed(content: bytes) -> Iterator[bytes]:
    """In pieces, so that no length is given."""
    for at in range(0, len(content), 1000):
        yield content[at : at + 1000]


def test_a_body_with_or_without_a_length_is_read_and_the_message_read_back(http2: httpx.Client):
    whole = json.dumps(order()).encode()
    for content in (whole, streamed(whole), streamed(whole + b" " * 300_000)):
        answer = http2.post("/v2/messages", content=content)
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 201)
        found = http2.get(f"/v2/messages/{answer.json()['messageId']}")
        assert found.json()["messageId"] == answer.json()["messageId"]


def test_what_is_refused_over_http1_is_refused_the_same(running: Running, http2: httpx.Client):
    with httpx.Client(base_url=running.url, timeout=WAIT, headers=KEY) as http1:
        for asked in (
            {"method": "POST", "url": "/v2/messages", "content": b"{"},
            {"method": "POST", "url": "/v2/messages", "content": b"x" * 9_000_000},
            {"method": "POST", "url": "/v2/messages", "headers": {"key": "other"}},
            {"method": "GET", "url": "/v2/messages"},
            {"method": "GET", "url": "/nowhere?x=1"},
            {"method": "HEAD", "url": "/__sandbox__/log"},
        ):
            one, two = http1.request(**asked), http2.request(**asked)
            assert (two.status_code, two.content) == (one.status_code, one.content), asked
            assert two.headers.get("content-type") == one.headers.get("content-type")


def test_many_requests_share_a_connection_and_a_long_answer_comes_whole(running: Running):
    async def together() -> tuple[list[int], bytes]:
        # one thread: of several, httpx may send a later stream first
        async with httpx.AsyncClient(
            base_url=running.url, http1=False, http2=True, timeout=WAIT, headers=KEY
        ) as client:
            asked = [client.post("/v2/messages", json=order(text=f"{at} " + "x" * 900)) for at in range(90)]
            posted = await asyncio.gather(*asked)
            return [answer.status_code for answer in posted], (await client.get("/__sandbox__/log")).content

    statuses, shown = asyncio.run(together())
    assert set(statuses) == {201}
    assert len(shown) > 100_000, "more than a window"
    assert shown == httpx.get(f"{running.url}/__sandbox__/log", timeout=WAIT).content


def test_a_silence_ends_its_stream_and_others_go_on():
    with (
        sandbox(fault="timeout=1") as mute,
        httpx.Client(base_url=mute.url, http1=False, http2=True, timeout=0.5, headers=KEY) as client,
    ):
        with pytest.raises(httpx.TransportError):
            client.post("/v2/messages", json=order())
        assert client.get("/__sandbox__/log").status_code == 200
