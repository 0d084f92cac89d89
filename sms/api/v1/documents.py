"""The two OpenAPI documents: what partners call, and the doors that are Webex Connect's own: its send APIs, and what it calls.

    manage.py spectacular --format openapi-json --file docs/openapi.json
    manage.py spectacular --format openapi-json --file docs/openapi-webex.json --generator-class sms.api.v1.documents.WebexDocument

write them down; a test holds files and code together.
"""

from typing import Any, ClassVar

from drf_spectacular.generators import SchemaGenerator

from sms.api.own_address import address_for
from sms.api.v1 import event_schemas, option_fields
from sms.api.v1.schema import OURS, SCHEMAS, read_json
from sms.api.v1.schema_enums import with_names
from sms.api.v1.schema_headers import HEADERS, describe_headers
from sms.api.v1.send_fields import FILLING, RECIPIENT, RECIPIENT_OR_NUMBER
from sms.values.problems import ProblemCode

# One example per operation, by its id: the JSON sent, and the JSON answered by status. A test holds each to its schema. An answer may be
# the name of a resource, `page of` one, or an object that is `like` one but for the values beside it.
EXAMPLES: dict[str, Any] = read_json("examples.json")
# a send has the usual options where nothing else is written
EXAMPLES["resources"]["send"] = option_fields.USUAL | EXAMPLES["resources"]["send"]
CODE_SCHEMA = {
    "type": "string",
    "description": "\n".join(f"* `{code}`: {code.meaning}" for code in ProblemCode),
    "enum": list(ProblemCode),
}
# in a file nobody knows yet where the desk will be
ANYWHERE = {
    "url": "{address}",
    "description": "Your Textdesk",
    "variables": {"address": {"default": "http://127.0.0.1:8000", "description": "Where it is reached."}},
}


class PartnersDocument(SchemaGenerator):
    """`/api/v1`."""

    doors: ClassVar[tuple[str, ...]] = (OURS,)

    def _get_paths_and_endpoints(self) -> list[Any]:
        return [one for one in super()._get_paths_and_endpoints() if one[0].startswith(self.doors)]

    def get_schema(self, request: Any = None, public: bool = False) -> Any:  # as its parent has it
        made = super().get_schema(request=request, public=public)
        made["servers"] = [{"url": address_for(request)}] if request else [ANYWHERE]
        self.finish(made)
        return made

    def finish(self, made: dict[str, Any]) -> None:
        components = made["components"]
        components["schemas"] |= {"Problem": SCHEMAS["problem"], "ProblemCode": CODE_SCHEMA}
        components["schemas"] |= {
            "Recipient": RECIPIENT,
            "RecipientOrNumber": RECIPIENT_OR_NUMBER,
            "Filling": FILLING,
        }
        components["schemas"] |= event_schemas.components()
        made["webhooks"] = event_schemas.webhooks()
        components["headers"] = HEADERS
        components.setdefault("responses", {})["Problem"] = {
            "description": "What went wrong, and how to correct it.",
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": EXAMPLES["resources"]["problem"],
                }
            },
        }
        for operation in _operations(made):
            _show(operation)
        with_names(made)
        describe_headers(made)


class WebexDocument(PartnersDocument):
    """The send APIs of Webex Connect as Textdesk answers them, and the addresses that Webex Connect posts to."""

    doors: ClassVar[tuple[str, ...]] = ("/v2/", "/v1/", "/resources/", "/receipts/", "/inbound/")

    def finish(self, made: dict[str, Any]) -> None:
        made["info"]["title"] = "Textdesk as Webex Connect"
        made["info"]["description"] = "Webex Connect's own send APIs, and what Webex Connect calls."
        made["tags"] = [{"name": "webex connect", "description": made["info"]["description"]}]
        made.pop("webhooks", None)
        made["components"]["schemas"] = {
            "MessagingV1Result": SCHEMAS["messaging_v1_result"],
            "Wait": SCHEMAS["wait"],
        }
        for operation in _operations(made):
            _show(operation)


def _operations(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one
        for path in made["paths"].values()
        for one in path.values()
        if isinstance(one, dict) and "operationId" in one
    ]


def _show(operation: dict[str, Any]) -> None:
    example = EXAMPLES["operations"].get(operation["operationId"], {})
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        if kind == "application/json" and "request" in example:
            media["example"] = example["request"]
    for status, response in operation["responses"].items():
        for kind, media in response.get("content", {}).items():
            if status in example and kind == "application/json":
                media["example"] = _answer(example[status])
            if status in example and kind == "text/csv":
                media["example"] = example[status]


def _answer(written: Any) -> Any:
    resources = EXAMPLES["resources"]
    match written:
        case str() if written.startswith("page of "):
            return {"items": [resources[written.removeprefix("page of ")]], "next_cursor": None}
        case {"items": [str() as resource], **others}:
            return {"items": [resources[resource]], **others}
        case str():
            return resources[written]
        case {"like": resource, **others}:
            return resources[resource] | others
    return written
