"""Clients generated from docs/openapi.json, typed: they send, plan, page, filter, cancel, replay, and read what went wrong."""

import json

import pytest

from tests.support.callback_receiver import receiving
from tests.support.generated_clients import CLIENTS

# a client is the same whatever stores its sends, and making three takes a minute
pytestmark = pytest.mark.sqlite


def answering(heard):
    """What a receiver says to a challenge, and to events."""
    challenge = heard.json.get("data", {}).get("challenge", "")
    return 200, {}, challenge.encode()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.name)
def test_a_generated_client_does_all_of_it(client, running, tmp_path):
    if client.missing:
        pytest.skip(f"{client.missing} is not installed")
    scopes = "send,read,callbacks,numbers,texts"
    key = running.manage(
        *("api_key", "--service", "demo", "--name", client.name, "--scopes", scopes)
    ).stdout.strip()
    client.generate(tmp_path)
    with receiving(answer=answering) as receiver:
        seen = json.loads(client.says(tmp_path, running.url, key, f"{receiver.url}/in"))
    assert seen.pop("replay") >= 0
    assert seen == {
        "replayed_the_same": True,
        "planned": 1,
        "moved": True,
        "held": [True, False],
        "cancelled": [1, "cancelled"],
        "paged": True,
        "filtered": True,
        "sparse": ["id", "state"],
        "found": True,
        "refused": [422, "text", "required"],
        "verified": True,
        "to_audience": 1,
        "messages": True,
    }
    assert receiver.heard, "the endpoint was asked for its challenge"
