"""Errors as problem+json (RFC 9457): one shape for whatever goes wrong, naming the field and the row where there is one.

Called by DRF for every exception of a view under `/api/v1/`. A sentence never repeats what a person's number is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from sms.compose.errors import ComposeError, RepeatedReference

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:textdesk:problem:"
TITLES = {
    "invalid": "The request cannot be used as it stands.",
    "unreadable": "The body cannot be read.",
    "idempotency_key_missing": "This request needs an Idempotency-Key.",
    "unauthorized": "No valid API key came with the request.",
    "forbidden": "This API key may not do that.",
    "not_found": "There is no such thing.",
    "method_not_allowed": "This address does not take that method.",
    "not_acceptable": "The answer is JSON; the Accept header rules it out.",
    "conflict": "The state of the thing does not allow that.",
    "changed_meanwhile": "It has changed since you read it.",
    "too_large": "The body is too large.",
    "unsupported_media_type": "The body has a type that is not taken here.",
    "refused": "The request was understood, but cannot be done.",
    "idempotency_key_reused": "This Idempotency-Key came with another body before.",
    "too_many_requests": "Too many requests.",
    "error": "Something broke on our side.",
    "unavailable": "Textdesk cannot answer at the moment.",
}
_ROW = re.compile(r"(?:recipients|numbers)\[(\d+)\]")
COMPOSE_FIELDS = {"audience": "recipients", "service": "", "send_at": "send_at"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to correct. `field` is a path like `recipients[3].number`; `row` counts from 1, 0 where there is none."""

    field: str
    detail: str
    row: int = 0
    code: str = "invalid"

    def shown(self) -> dict[str, object]:
        row: dict[str, object] = {"row": self.row} if self.row else {}
        return {"field": self.field, "code": self.code, "detail": self.detail, **row}


class ApiProblem(exceptions.APIException):
    """What a view raises where none of DRF's exceptions says it. `code` is a key of TITLES."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Iterable[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.problem = code
        self.sentence = detail
        self.faults = tuple(faults)
        self.headers = headers or {}


def invalid(field: str, detail: str, *, row: int = 0) -> ApiProblem:
    return ApiProblem(400, "invalid", detail, faults=[Fault(field, detail, row)])


def body_of(problem: ApiProblem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": TYPE + problem.problem,
        "title": TITLES[problem.problem],
        "status": problem.status_code,
        "code": problem.problem,
        "detail": problem.sentence,
    }
    if problem.faults:
        shown["errors"] = [fault.shown() for fault in problem.faults[:100]]
    return shown


def answer(problem: ApiProblem) -> Response:
    return Response(
        body_of(problem), status=problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE
    )


def handle(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: any exception becomes a problem, an unexpected one a 500 with a log line."""
    set_rollback()
    problem = _read(exc)
    if problem.status_code >= 500:
        log.error("api_broke", view=type(context.get("view")).__name__, exc_info=exc)
    return answer(problem)


def _read(exc: Exception) -> ApiProblem:
    match exc:
        case ApiProblem():
            return exc
        case ComposeError():
            faults = [
                Fault(COMPOSE_FIELDS.get(one.field, one.field), one.text, code=one.code)
                for one in exc.problems
            ]
            if isinstance(exc, RepeatedReference):
                return ApiProblem(409, "conflict", str(exc), faults=faults)
            return ApiProblem(422, "refused", str(exc), faults=faults)
        case exceptions.ValidationError():
            faults = list(_faults(exc.detail))
            first = faults[0] if faults else Fault("", "The request cannot be used.")
            where = f"{first.field}: " if first.field else ""
            return ApiProblem(400, "invalid", f"{where}{first.detail}", faults=faults)
        case exceptions.ParseError():
            return ApiProblem(400, "unreadable", str(exc.detail))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            challenge = getattr(exc, "auth_header", "") or "Bearer"
            return ApiProblem(401, "unauthorized", str(exc.detail), headers={"WWW-Authenticate": challenge})
        case exceptions.PermissionDenied():
            return ApiProblem(403, "forbidden", str(exc.detail))
        case PermissionDenied():
            return ApiProblem(403, "forbidden", str(exc) or "This API key may not do that.")
        case Http404() | exceptions.NotFound():
            return ApiProblem(404, "not_found", "There is nothing at this address that your key can see.")
        case exceptions.MethodNotAllowed():
            return ApiProblem(405, "method_not_allowed", str(exc.detail))
        case exceptions.NotAcceptable():
            return ApiProblem(406, "not_acceptable", "Ask for application/json, or for */*.")
        case RequestDataTooBig():
            return ApiProblem(413, "too_large", "The body is larger than Textdesk takes.")
        case exceptions.UnsupportedMediaType():
            return ApiProblem(415, "unsupported_media_type", str(exc.detail))
        case exceptions.Throttled():
            wait = max(1, int(getattr(exc, "wait", None) or 1))
            return ApiProblem(
                429,
                "too_many_requests",
                f"Try again in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )
        case DatabaseError():
            return ApiProblem(
                503, "unavailable", "The database is away. Try again soon.", headers={"Retry-After": "10"}
            )
    return ApiProblem(
        500, "error", "It was logged. Sending the same request with the same Idempotency-Key is safe."
    )


def _faults(detail: Any, path: str = "") -> Iterator[Fault]:
    """DRF's nested details as flat faults. A place in a list of recipients is also its row."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if isinstance(name, int):
                yield from _faults(inner, f"{path}[{name}]")
            else:
                here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
                yield from _faults(inner, here)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _faults(inner, f"{path}[{place}]" if isinstance(inner, dict) and inner else path)
    else:
        row = _ROW.match(path)
        code = getattr(detail, "code", None) or "invalid"  # of a form that Django refused, None
        yield Fault(path, str(detail), int(row[1]) + 1 if row else 0, code)
