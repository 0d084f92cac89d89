"""The headers of answers, as the OpenAPI document describes them."""

from typing import Any

from sms.api.v1.schema import UNMATCHED


def _header(description: str, kind: str = "string", example: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": description, "schema": {"type": kind}}
    return found | ({"example": example} if example is not None else {})


HEADERS: dict[str, dict[str, Any]] = {
    "Request-Id": _header("Name it when you ask about this request.", example="req_1f6Cq0Vb3m"),
    "ETag": _header(
        "Of what was answered; give it as If-None-Match or If-Match.", example='"5d41402abc4b2a76"'
    ),
    "Location": _header("The address of what was made.", example="/api/v1/sends/812"),
    "Idempotent-Replayed": _header(
        "`true` where the answer is one given before to the same Idempotency-Key."
    ),
    "Retry-After": _header("Seconds until asking again makes sense.", "integer", 12),
    "RateLimit": _header(
        "What is left of your minute, and the seconds until the next.", example='"key";r=590;t=41'
    ),
    "RateLimit-Policy": _header("Requests of your key in a window of seconds.", example='"key";q=600;w=60'),
    "RateLimit-Limit": _header("Requests of your key in a minute.", "integer", 600),
    "RateLimit-Remaining": _header("What is left of them.", "integer", 590),
    "RateLimit-Reset": _header("Seconds until the next minute.", "integer", 41),
}
ALWAYS = (
    "Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)


def describe_headers(made: dict[str, Any]) -> None:
    """Of every answer of every operation. What is read with an ETag has it wherever all of it is answered."""
    made["components"]["responses"]["Problem"]["headers"] = _refs(*ALWAYS, "Retry-After")
    operations = [one for path in made["paths"].values() for one in path.values()]
    tagged = {_schema(one) for one in operations if "304" in one["responses"]} | {"MadeSend"}
    for operation in operations:
        name, given = operation["operationId"], [one["name"] for one in operation.get("parameters", ())]
        for status, response in operation["responses"].items():
            if "$ref" in response:
                continue
            names = [*ALWAYS]
            names += ["ETag"] if _schema(operation) in tagged and name not in UNMATCHED else []
            names += ["Location"] if status == "201" and name.endswith("_create") else []
            names += ["Idempotent-Replayed"] if "Idempotency-Key" in given else []
            response["headers"] = response.get("headers", {}) | _refs(*names)


def _schema(operation: dict[str, Any]) -> str | None:
    """The component that a success answers with."""
    for status, response in operation["responses"].items():
        if status in ("200", "201") and "application/json" in response.get("content", {}):
            shown: str = response["content"]["application/json"]["schema"].get("$ref", "")
            return shown.rpartition("/")[2] or None
    return None


def _refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
