"""Events in the OpenAPI document: a shape for each type, made from the table that the code has (`event_types`), and `webhooks`."""

from typing import Any

from sms.models import Click, InboundMessage, MessageState, OptOut
from sms.models.event_types import EVENT_TYPES, SHAPES, EventType
from sms.models.send_state import ShownState

Schema = dict[str, Any]
_KEY = {"type": ["integer", "null"]}
_WORDS = {"type": ["string", "null"]}


def _one_of(values: list[str]) -> Schema:
    return {"type": ["string", "null"], "enum": [*values, None]}


FIELDS: dict[str, Schema] = {
    "message": _KEY | {"description": "Id of the message."},
    "send": _KEY | {"description": "Id of the send."},
    "inbound": _KEY | {"description": "Id of the incoming SMS."},
    "conversation": _KEY | {"description": "Id of the conversation that it belongs to."},
    "opt_out": _KEY | {"description": "Id of the opt-out."},
    "service": {"type": "string", "description": "Slug of the service."},
    "name": _WORDS | {"description": "Name of the send."},
    "sender": _WORDS | {"description": "Which it comes from."},
    "row": _KEY | {"description": "Row of the audience, from 1."},
    "number": _WORDS | {"description": "Of the person: masked unless the reader may see whole ones."},
    "reference": _WORDS | {"description": "What the request called the recipient."},
    "client_reference": _WORDS | {"description": "What the request called the send."},
    "correlation_id": _WORDS | {"description": "What the request called the message."},
    "callback_data": _WORDS | {"description": "As the request gave it."},
    "code": _WORDS | {"description": "The provider's, or of `ProblemCode`."},
    "detail": _WORDS | {"description": "What it means, in words."},
    "provider_id": _WORDS,
    "attempt": _KEY
    | {
        "description": "POSTs that may have reached the provider; after a restore it goes on from a large number."
    },
    "segments_billed": _KEY | {"description": "As the provider reported."},
    "url": _WORDS | {"description": "That was opened. Null unless the reader may see texts."},
    "verdict": _one_of(Click.Verdict.values) | {"description": "Who opened it."},
    "field": _WORDS | {"description": "The placeholder that it is about."},
    "address": _WORDS | {"description": "Your number or short code."},
    "text": _WORDS | {"description": "Null unless the reader may see texts."},
    "keyword": _one_of(InboundMessage.Meaning.values),
    "matched_keyword": _WORDS | {"description": "The keyword of your own that it says, as you wrote it."},
    "sure": {"type": ["boolean", "null"], "description": "False where it says more than the word."},
    "source": _one_of(OptOut.Source.values),
    "verdict_code": _WORDS | {"description": "Why we think so, as one word for programs."},
    "reason": _WORDS | {"description": "Why, in the words of who did it."},
    "rule": _WORDS | {"description": "The rule that held it; null for people and programs."},
}


def components() -> dict[str, Schema]:
    """`Event`, `EventType`, and one for each type."""
    names = {one.name: _component(one) for one in EVENT_TYPES.values()}
    refs = {name: f"#/components/schemas/{component}" for name, component in names.items()}
    return {
        "EventType": {
            "type": "string",
            "enum": list(EVENT_TYPES),
            "description": "\n".join(f"* `{one.name}`: {one.when}" for one in EVENT_TYPES.values()),
        },
        "Event": {
            "oneOf": [{"$ref": ref} for ref in refs.values()],
            "discriminator": {"propertyName": "type", "mapping": refs},
        },
        **{names[one.name]: _envelope(one) for one in EVENT_TYPES.values()},
        **{shape: _data(shape) for shape in SHAPES},
    }


def webhooks() -> dict[str, Schema]:
    """What endpoints are posted, by type."""
    headers = [
        _header("webhook-id", "The event's id: the same in every repeat."),
        _header("webhook-timestamp", "When it was posted, in seconds since 1970."),
        _header(
            "webhook-signature", "`v1,` and the HMAC-SHA256 in base64; two of them while a secret is changed."
        ),
    ]
    return {
        one.name: {
            "post": {
                "operationId": f"on_{one.name.replace('.', '_')}",
                "summary": one.says,
                "description": one.when,
                "tags": ["webhooks"],
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": f"#/components/schemas/{_component(one)}"}}
                    },
                },
                "responses": {"2XX": {"description": "Taken. Anything else is tried again for three days."}},
            }
        }
        for one in EVENT_TYPES.values()
    }


def _component(one: EventType) -> str:
    return "".join(word.capitalize() for word in one.name.replace(".", "_").split("_")) + "Event"


def _envelope(one: EventType) -> Schema:
    properties = {
        "id": {"type": "string", "description": "The same in every repeat: drop those you know."},
        "type": {"type": "string", "enum": [one.name]},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
        "test": {"type": "boolean", "description": "Of a test key's send: no SMS was sent."},
        "data": {"$ref": f"#/components/schemas/{one.shape}"},
    }
    return {"type": "object", "description": one.when, "required": list(properties), "properties": properties}


def _data(shape: str) -> Schema:
    """All of it is always there; null is none."""
    states = ShownState if shape.endswith("SendData") else MessageState
    known = FIELDS | {"state": _one_of(states.values)}
    names = SHAPES[shape].split()
    return {"type": "object", "required": names, "properties": {name: known[name] for name in names}}


def _header(name: str, description: str) -> Schema:
    shape = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": description, "schema": shape}
