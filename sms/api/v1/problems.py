"""Errors as problem+json (RFC 9457): one shape for whatever goes wrong, naming the field and the row where there is one.

Called by DRF for every exception of a view under `/api/v1/`. A sentence never repeats what a person's number is.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from sms.audiences.errors import SavedError
from sms.compose.errors import ComposeError, RepeatedReference
from sms.compose.spending import CapRefused
from sms.values.problems import Problem, ProblemCode, code_of

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:textdesk:problem:"
SENDS = "/api/v1/sends"
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
COMPOSE_FIELDS = {"audience": "recipients", "service": ""}


@extend_schema_field({"$ref": "#/components/schemas/ProblemCode"})
class CodeField(serializers.CharField):
    """Of `ProblemCode`; `schema` has the component."""


class ApiProblem(exceptions.APIException):
    """What a view raises where none of DRF's exceptions says it. `code` is a key of TITLES.

    The field of a problem is a path like `recipients[3].number`; `beside` stands in the body beside what every problem has.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        problems: Iterable[Problem] = (),
        headers: dict[str, str] | None = None,
        beside: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.kind = code
        self.sentence = detail
        self.problems = tuple(problems)
        self.headers = headers or {}
        self.beside = beside or {}


def invalid(field: str, detail: str, *, row: int = 0, code: ProblemCode = ProblemCode.INVALID) -> ApiProblem:
    return of_one(400, "invalid", Problem(code, field, detail, row))


def refused(problem: Problem) -> ApiProblem:
    return of_one(422, "refused", problem)


def conflict(problem: Problem) -> ApiProblem:
    return of_one(409, "conflict", problem)


def of_one(status: int, kind: str, problem: Problem) -> ApiProblem:
    return ApiProblem(status, kind, problem.text, problems=[problem])


def body_of(problem: ApiProblem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": TYPE + problem.kind,
        "title": TITLES[problem.kind],
        "status": problem.status_code,
        "code": problem.kind,
        "detail": problem.sentence,
        **problem.beside,
    }
    if problem.problems:
        # without what stood there, which may be a number
        shown["errors"] = [
            {"field": one.field, "code": one.code, "detail": one.text} | ({"row": one.row} if one.row else {})
            for one in problem.problems[:100]
        ]
    return shown


def handle(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: any exception becomes a problem, an unexpected one a 500 with a log line."""
    set_rollback()
    problem = _read(exc)
    if problem.status_code >= 500:
        log.error("api_broke", view=type(context.get("view")).__name__, exc_info=exc)
    return Response(
        body_of(problem), status=problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE
    )


def _read(exc: Exception) -> ApiProblem:
    match exc:
        case ApiProblem():
            return exc
        case ComposeError():
            found = [one.at(COMPOSE_FIELDS.get(one.field, one.field)) for one in exc.problems]
            if isinstance(exc, RepeatedReference):
                return ApiProblem(
                    *(409, "conflict", str(exc)),
                    problems=found,
                    headers={"Location": f"{SENDS}/{exc.earlier.pk}"},
                    beside={"existing": exc.earlier.pk},
                )
            free = {"Retry-After": str(exc.seconds_left)} if isinstance(exc, CapRefused) else {}
            return ApiProblem(422, "refused", str(exc), problems=found, headers=free)
        case SavedError():  # the name is taken, a send used it, it is archived
            return conflict(exc.problem)
        case exceptions.ValidationError():
            found = list(_flat(exc.detail))
            first = found[0] if found else Problem(ProblemCode.INVALID, "", "The request cannot be used.")
            where = f"{first.field}: " if first.field else ""
            return ApiProblem(400, "invalid", f"{where}{first.text}", problems=found)
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
        case SuspiciousOperation():  # a form of too many fields or files
            return ApiProblem(400, "unreadable", str(exc))
        case exceptions.UnsupportedMediaType():
            return ApiProblem(415, "unsupported_media_type", str(exc.detail))
        case exceptions.Throttled():
            wait = max(1, int(getattr(exc, "wait", None) or 1))
            says = f"Try again in {wait} seconds."
            return ApiProblem(429, "too_many_requests", says, headers={"Retry-After": str(wait)})
        case DatabaseError():
            says = "The database is away. Try again soon."
            return ApiProblem(503, "unavailable", says, headers={"Retry-After": "10"})
    says = "It was logged. Sending the same request with the same Idempotency-Key is safe."
    return ApiProblem(500, "error", says)


def _flat(detail: Any, path: str = "") -> Iterator[Problem]:
    """DRF's nested details as flat problems. A place in a list of recipients is also its row."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if isinstance(name, int):
                yield from _flat(inner, f"{path}[{name}]")
            else:
                here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
                yield from _flat(inner, here)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _flat(inner, f"{path}[{place}]" if isinstance(inner, dict) and inner else path)
    else:
        row = _ROW.match(path)
        yield Problem(
            code_of(getattr(detail, "code", None)), path, str(detail), int(row[1]) + 1 if row else 0
        )
