"""What the OpenAPI document says of `/v2`: every field that is read, and the shape that is answered."""

import json
from pathlib import Path

import pytest

from sms.api.drop_in import unused
from sms.sends import control
from tests.support.drop_in import body, get, post
from tests.support.partners import a_key, a_partner_service
from tests.support.sends import BY

PATHS = json.loads((Path(__file__).parents[2] / "docs" / "openapi-webex.json").read_text("utf-8"))["paths"]


def schema(content: dict) -> dict:
    return content["content"]["application/json"]["schema"]


BODY = schema(PATHS["/v2/messages"]["post"]["requestBody"])["properties"]


def test_every_field_of_a_request_is_listed():
    assert BODY.keys() == unused.WHOLE
    for name, fields in unused.BLOCKS.items():
        assert BODY[name]["properties"].keys() == fields - {"ID"}
    for name, fields in unused.LISTS.items():
        assert BODY[name]["items"]["properties"].keys() == fields


@pytest.mark.django_db
def test_the_answers_have_the_shapes_that_are_listed():
    service = a_partner_service()
    token = a_key(service)
    control.pause_everything(service, by=BY, because="To have something to wait for")
    accepted = post(token, body(colour="blue")).json()
    reply = schema(PATHS["/v2/messages"]["post"]["responses"]["201"])["properties"]
    assert accepted.keys() == reply.keys()
    assert (
        accepted["textdesk"]["notices"][0].keys()
        == reply["textdesk"]["properties"]["notices"]["items"]["properties"].keys()
    )
    read = get(token, accepted["messageId"]).json()
    listed = schema(PATHS["/v2/messages/{message_id}"]["get"]["responses"]["200"])["properties"]
    assert read.keys() == listed.keys()
    shape = {"code", "until", "detail"}
    assert accepted["textdesk"]["waits"][0].keys() == read["textdesk"]["waits"][0].keys() == shape
    for name in ("content", "options"):
        assert read[name].keys() == listed[name]["properties"].keys()
