"""The OpenAPI document as a Postman collection (format 2.1): a folder for each tag, a request for each operation.

A body is the example of its operation. The key and the address are variables of the collection. Optional headers and parameters are
there, and switched off.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
# what a list and a new thing answer fills the id of the requests about one
KEEP_ID = (
    "const said = pm.response.json(), one = said.items ? said.items[0] : said;",
    "if (one && one.id) pm.collectionVariables.set('{name}', one.id);",
)
METHODS = ("get", "post", "put", "patch", "delete")
_ID = uuid.UUID("6f0c1b52-31a8-5d6b-9c7e-3c2a6f5b8e10")  # importing it again replaces it
Document = Mapping[str, Any]


@cache
def document() -> Document:
    """What `docs/openapi.json` says; a test holds it and the API together."""
    found: Document = json.loads((settings.BASE_DIR / "docs" / "openapi.json").read_text("utf-8"))
    return found


def collection(openapi: Document, address: str) -> dict[str, Any]:
    folders: dict[str, list[Any]] = {tag["name"]: [] for tag in openapi.get("tags", [])}
    for method, path, operation in _operations(openapi):
        tag = (operation.get("tags") or ["other"])[0]
        folders.setdefault(tag, []).append(_item(method, path, operation, openapi))
    for items in folders.values():  # what takes a thing away comes last, so that a folder can be run
        items.sort(key=lambda item: item["request"]["method"] == "DELETE")
    return {
        "info": {
            "_postman_id": str(_ID),
            "name": openapi["info"]["title"],
            "description": openapi["info"].get("description", ""),
            "schema": FORMAT,
        },
        "auth": {
            "type": "apikey",
            "apikey": [_typed("key", "key"), _typed("value", "{{key}}"), _typed("in", "header")],
        },
        "variable": [_typed("desk", address), _typed("key", "")],
        "item": [{"name": name, "item": items} for name, items in folders.items() if items],
    }


def _operations(openapi: Document) -> Iterator[tuple[str, str, Document]]:
    for path, operations in openapi["paths"].items():
        for method in METHODS:
            if method in operations:
                yield method, path, operations[method]


def _typed(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value, "type": "string"}


def _item(method: str, path: str, operation: Document, openapi: Document) -> dict[str, Any]:
    given = [_resolved(one, openapi) for one in operation.get("parameters", [])]
    name = operation.get("summary") or operation["operationId"].replace("_", " ").capitalize()
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "header": [_header(one) for one in given if one["in"] == "header"],
        "url": _url(path, given),
    }
    media = operation.get("requestBody", {}).get("content", {})
    if "application/json" in media:
        request["header"].insert(0, _typed("Content-Type", "application/json"))
        request["body"] = _json_body(media["application/json"])
    elif "multipart/form-data" in media:
        request["body"] = _form(_resolved(media["multipart/form-data"]["schema"], openapi))
    shown: dict[str, Any] = {"name": name, "request": request, "response": []}
    if method in ("get", "post") and (found := re.fullmatch(r"/api/v1/([\w-]+)", path)):
        script = [line.replace("{name}", _id_of(found[1])) for line in KEEP_ID]
        shown["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": script}}]
    return shown


def _id_of(kind: str) -> str:
    """The variable of the collection that holds the id of the thing looked at last."""
    return f"{kind}_id"


def _resolved(thing: Document, openapi: Document) -> Document:
    """What a `$ref` within the document stands for."""
    while "$ref" in thing:
        found: Any = openapi
        for part in str(thing["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        thing = found
    return thing


def _header(one: Document) -> dict[str, Any]:
    needed = one["name"] == "Idempotency-Key"  # Postman makes a new one for each request
    value = "{{$guid}}" if needed else ""
    switch = {} if needed or one.get("required") else {"disabled": True}
    return _typed(one["name"], value) | {"description": one.get("description", "")} | switch


def _url(path: str, given: list[Document]) -> dict[str, Any]:
    parts = re.sub(r"\{(\w+)\}", r":\1", path).strip("/").split("/")
    end = [""] if path.endswith("/") else []
    query = [
        _typed(one["name"], "")
        | {"description": one.get("description", ""), "disabled": not one.get("required")}
        for one in given
        if one["in"] == "query"
    ]
    in_path = [
        _typed(one["name"], "{{" + _id_of(parts[2]) + "}}" if one["name"] == "id" else "")
        | {"description": one.get("description", "")}
        for one in given
        if one["in"] == "path"
    ]
    return {
        "raw": "{{desk}}/" + "/".join([*parts, *end]),
        "host": ["{{desk}}"],
        "path": [*parts, *end],
        **({"query": query} if query else {}),
        **({"variable": in_path} if in_path else {}),
    }


def _json_body(media: Document) -> dict[str, Any]:
    shown = json.dumps(media.get("example", {}), indent=2, ensure_ascii=False)
    return {"mode": "raw", "raw": shown, "options": {"raw": {"language": "json"}}}


def _form(schema: Document) -> dict[str, Any]:
    def field(name: str, about: Document) -> dict[str, Any]:
        if about.get("format") == "binary" or "contentMediaType" in about:
            return {"key": name, "type": "file", "src": None}
        return {"key": name, "value": "", "type": "text", "disabled": True}

    return {
        "mode": "formdata",
        "formdata": [field(name, about) for name, about in schema.get("properties", {}).items()],
    }
