"""The OpenAPI document: what drf-spectacular finds, and what all operations share: parameters, errors, security, an example each.

`manage.py spectacular --format openapi-json --file docs/openapi.json` writes it down; a test holds both together.
"""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from sms.api.idempotency import HEADER
from sms.api.v1 import event_schemas, option_fields
from sms.values.problems import ProblemCode

OURS = "/api/v1/"
OPEN_TO_PARTNERS = ("/api/v1/", "/v2/", "/v1/", "/resources/", "/receipts/", "/inbound/")
UNMATCHED = ("audiences_replace", "callbacks_replay")  # acts on one thing that do not look at its ETag


def _json(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text("utf-8"))


SCHEMAS: dict[str, Any] = _json("schemas.json")  # of what no serializer describes
# One example per operation, by its id: the JSON sent, and the JSON answered by status. A test holds each to its schema. An answer may be
# the name of a resource, `page of` one, or an object that is `like` one but for the values beside it.
EXAMPLES: dict[str, Any] = _json("examples.json")
# a send has the usual options where nothing else is written
EXAMPLES["resources"]["send"] = option_fields.USUAL | EXAMPLES["resources"]["send"]
CODE_SCHEMA = {
    "type": "string",
    "description": "\n".join(f"* `{code}`: {code.meaning}" for code in ProblemCode),
    "enum": list(ProblemCode),
}


class ResourceSchema(AutoSchema):
    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(OURS).split("/")[0]]

    def get_override_parameters(self) -> Any:
        name, here = self.get_operation_id(), self.method == "GET"
        found = []
        if here and getattr(self.view, "serializer_class", None):
            found.append(
                OpenApiParameter("fields", str, description="Only these fields, separated by commas.")
            )
        if here and getattr(self.view, "action", "") == "retrieve":
            found.append(header("If-None-Match", "An ETag: 304 while nothing changed."))
        if name == "sends_create":
            found.append(header(HEADER, "Required unless `dry_run`: a new random text per send."))
        elif self.method == "POST" and not name.endswith("_search"):
            found.append(header(HEADER, "The same request with the same key gets the same answer."))
        if not here and "{id}" in self.path and name not in UNMATCHED:
            found.append(header("If-Match", "An ETag: 412 where it has changed since."))
        return found

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        found: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if found is not None:
            responses = found["responses"]
            if self.method != "GET":  # of a search, these two stand in the body
                given = found.get("parameters", [])
                found["parameters"] = [one for one in given if one["name"] not in ("cursor", "limit")]
            if getattr(self.view, "action", "") == "retrieve":
                responses["304"] = {"description": "Nothing changed."}
            responses["4XX"] = responses["5XX"] = {"$ref": "#/components/responses/Problem"}
        return found


def header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


class KeyScheme(OpenApiAuthenticationExtension):
    """The two ways to send a key; either is enough."""

    target_class = "sms.api.authentication.KeyAuthentication"
    name = ["key", "bearer"]  # noqa: RUF012

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{"key": []}, {"bearer": []}]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return [{"type": "apiKey", "in": "header", "name": "key"}, {"type": "http", "scheme": "bearer"}]


class KeyOrJwtScheme(OpenApiAuthenticationExtension):
    """Where a JWT of the service is taken as well."""

    target_class = "sms.api.authentication.KeyOrJwtAuthentication"
    name = "jwt"

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{"key": []}, {"bearer": []}, {"jwt": []}]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class BareKeyScheme(OpenApiAuthenticationExtension):
    """A third way, at the Send SMS API v1 only."""

    target_class = "sms.api.drop_in.older_views.BareKeyAuthentication"
    name = "key_in_authorization"

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{"key_in_authorization": []}, {"key": []}, {"bearer": []}, {"jwt": []}]

    def get_security_definition(self, auto_schema: Any) -> Any:
        says = "The API key by itself, without a scheme before it."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": says}


def open_to_partners(endpoints: list[Any]) -> list[Any]:
    """Preprocessing: what partners and Webex Connect call."""
    return [one for one in endpoints if one[0].startswith(OPEN_TO_PARTNERS)]


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing: examples, the problem's shape, and bodies that take no unknown names."""
    components = result["components"]
    components["schemas"] |= {
        "Problem": SCHEMAS["problem"],
        "ProblemCode": CODE_SCHEMA,
        "MessagingV1Result": SCHEMAS["messaging_v1_result"],
    }
    components["schemas"] |= event_schemas.components()
    result["webhooks"] = event_schemas.webhooks()
    components.setdefault("responses", {})["Problem"] = {
        "description": "What went wrong, and how to correct it.",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": EXAMPLES["resources"]["problem"],
            }
        },
    }
    for path, operations in result["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "operationId" in operation:
                _show(operation)
                if path.startswith(OURS):
                    _close(operation, components["schemas"])
    return result


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


def _close(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if name:
            schemas[name]["additionalProperties"] = False
