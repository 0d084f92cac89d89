"""The OpenAPI document: what drf-spectacular finds, and what all operations share: parameters, errors, security, an example each.

`manage.py spectacular --format openapi-json --file docs/openapi.json` writes it down; a test holds both together.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from sms.api.v1.examples import EXAMPLES, PROBLEM

OURS = "/api/v1/"
KEY = "Idempotency-Key"
OPEN_TO_PARTNERS = ("/api/v1/", "/v2/", "/receipts/", "/inbound/")
UNMATCHED = ("audiences_replace", "callbacks_replay")  # acts on one thing that do not look at its ETag
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. Both `code`s are stable; `detail` is for the person who corrects it.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {
                        "type": "string",
                        "description": "For programs: invalid, required, text_too_long, missing_value and others.",
                    },
                    "detail": {"type": "string"},
                    "row": {"type": "integer", "minimum": 1},
                },
            },
        },
    },
}


class ResourceSchema(AutoSchema):
    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(OURS).split("/")[0]]

    def get_override_parameters(self) -> Any:
        name, here = self.get_operation_id(), self.method == "GET"
        found = []
        if here:
            found.append(
                OpenApiParameter("fields", str, description="Only these fields, separated by commas.")
            )
        if here and getattr(self.view, "action", "") == "retrieve":
            found.append(_header("If-None-Match", "An ETag: 304 while nothing changed."))
        if name == "sends_create":
            found.append(_header(KEY, "Required unless `dry_run`: a new random text per send."))
        elif self.method == "POST" and not name.endswith("_search"):
            found.append(_header(KEY, "The same request with the same key gets the same answer."))
        if not here and "{id}" in self.path and name not in UNMATCHED:
            found.append(_header("If-Match", "An ETag: 412 where it has changed since."))
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


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


class KeyScheme(OpenApiAuthenticationExtension):
    """The two ways to send a key; either is enough."""

    target_class = "sms.api.authentication.KeyAuthentication"
    name = ["key", "bearer"]  # noqa: RUF012

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{"key": []}, {"bearer": []}]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return [
            {"type": "apiKey", "in": "header", "name": "key"},
            {"type": "http", "scheme": "bearer"},
        ]


def open_to_partners(endpoints: list[Any]) -> list[Any]:
    """Preprocessing: what partners and Webex Connect call."""
    return [one for one in endpoints if one[0].startswith(OPEN_TO_PARTNERS)]


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing: examples, the problem's shape, and bodies that take no unknown names."""
    components = result["components"]
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components.setdefault("responses", {})["Problem"] = {
        "description": "What went wrong, and how to mend it.",
        "content": {"application/problem+json": {"schema": _ref("Problem"), "example": PROBLEM}},
    }
    for path, operations in result["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "operationId" in operation:
                _show(operation)
                if path.startswith(OURS):
                    _close(operation, components["schemas"])
    return result


def _show(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"], {})
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        if kind == "application/json" and "request" in example:
            media["example"] = example["request"]
    for status, response in operation["responses"].items():
        answered = example.get(status)
        for kind, media in response.get("content", {}).items():
            if answered is not None and kind == "application/json":
                media["example"] = answered


def _close(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if name:
            schemas[name]["additionalProperties"] = False


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
