"""Keyset paging: newest first, by a cursor that only we read. A row that is added between two pages neither repeats nor hides another."""

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1.problems import invalid
from sms.values.problems import ProblemCode

USUAL, MOST = 50, 200
_LAYOUT = struct.Struct(">cq")
_MARK = b"\x01"


def written(key: int) -> str:
    return base64.urlsafe_b64encode(_LAYOUT.pack(_MARK, key)).decode().rstrip("=")


def read(cursor: str) -> int:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, key = _LAYOUT.unpack(raw)
    except (ValueError, binascii.Error, struct.error):
        mark, key = b"", 0
    if mark != _MARK or key < 1 or written(key) != cursor:
        raise invalid("cursor", "This is no cursor. Take `next_cursor` from the page before, unchanged.")
    return int(key)


class Keyset(BasePagination):
    """Pages of a queryset by falling id: `{"items": […], "next_cursor": "…" or null}`."""

    next_cursor: str | None = None

    def paginate_queryset(  # type: ignore[override]  # of a queryset only
        self, queryset: "QuerySet[Any]", request: Request, view: Any = None
    ) -> list[Any]:
        """One page; one row more is read to know whether another follows."""
        size = _size(request.query_params.get("limit", ""))
        return self.after(queryset, request.query_params.get("cursor", ""), size)

    def after(self, queryset: "QuerySet[Any]", cursor: str, size: int) -> list[Any]:
        """The page behind a cursor, the first one where it is empty."""
        rows = queryset.order_by("-pk")
        if cursor:
            rows = rows.filter(pk__lt=read(cursor))
        found = list(rows[: size + 1])
        self.next_cursor = written(found[size - 1].pk) if len(found) > size else None
        return found[:size]

    def within(self, items: Sequence[Any], request: Request) -> list[Any]:
        """One page of a list that never changes, in its own order; the cursor counts what was shown."""
        size, cursor = _size(request.query_params.get("limit", "")), request.query_params.get("cursor", "")
        start = read(cursor) if cursor else 0
        self.next_cursor = written(start + size) if len(items) > start + size else None
        return list(items[start : start + size])

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next_cursor": self.next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": schema,
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "Pass it as `cursor` for the next page; null on the last one.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        rows = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        return [
            _query("cursor", "`next_cursor` of the page before.", {"type": "string"}),
            _query("limit", "Rows on a page.", rows),
        ]


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _size(raw: str) -> int:
    if not raw:
        return USUAL
    if not (raw.isascii() and raw.isdecimal() and len(raw) <= 6 and 1 <= int(raw) <= MOST):
        raise invalid("limit", f"A page has 1 to {MOST} rows.", code=ProblemCode.OUT_OF_RANGE)
    return int(raw)
