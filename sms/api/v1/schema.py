"""What drf-spectacular is told of our views and serializers: parameters, names and optional fields. `documents` puts it together."""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from sms.api.idempotency import HEADER
from sms.api.v1.bodies import Change, Strict
from sms.api.v1.deprecations import deprecation_of
from sms.api.v1.sparse import Sparse


def read_json(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text("utf-8"))


SCHEMAS: dict[str, Any] = read_json("schemas.json")  # of what no serializer describes
OURS = "/api/v1/"
UNMATCHED = ("audiences_replace", "callbacks_replay")  # acts on one thing that do not look at its ETag


class ResourceSchema(AutoSchema):
    def is_deprecated(self) -> bool:
        return deprecation_of(self.method, self.path) is not None

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(OURS).split("/")[0]]

    def get_override_parameters(self) -> Any:
        name, here = self.get_operation_id(), self.method == "GET"
        found = []
        if here and getattr(self.view, "serializer_class", None):
            found.append(
                OpenApiParameter(
                    "fields",
                    str,
                    description="Only these fields, separated by commas. What tells one from another is always there.",
                )
            )
        if here and getattr(self.view, "action", "") == "retrieve":
            found.append(header("If-None-Match", "An ETag: 304 while nothing changed."))
        if name == "sends_create":
            found.append(header(HEADER, "A new random text per send.", required=True))
        elif self.method == "POST" and not name.endswith(("_search", "_plan")):
            found.append(header(HEADER, "The same request with the same key gets the same answer."))
        if not here and "{id}" in self.path and name not in UNMATCHED:
            found.append(header("If-Match", "An ETag: 412 where it has changed since."))
        return found

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

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


def header(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, required=required)


class NamedSerializer(OpenApiSerializerExtension):
    """A component is called what people call it, and says which of its fields may be missing.

    A body takes null for whatever may be left out. An answer that `fields` makes shorter has its `identity` always.
    """

    target_class = "rest_framework.serializers.Serializer"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str | None:
        return type(self.target).__name__.removesuffix("Shape")

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        shown: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if isinstance(self.target, Strict):
            _optional(self.target, shown)
            shown["additionalProperties"] = False
        elif isinstance(self.target, Sparse) and (identity := self.target.identity):
            shown["required"] = [identity]
        return shown


def _optional(body: Strict, shown: dict[str, Any]) -> None:
    """What may be left out may be null, and in a body that makes something empty too."""
    for name in shown.get("properties", {}).keys() - set(shown.get("required", ())):
        about = shown["properties"][name]
        if isinstance(about.get("type"), str):
            about["type"] = [about["type"], "null"]
            if not isinstance(body, Change):
                about.pop("minLength", None)
                about.pop("minItems", None)


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
        says = "The API key alone, without a scheme before it."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": says}
