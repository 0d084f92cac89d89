"""Errors as problem+json (RFC 9457): one shape for whatever goes wrong, naming the field and the row where there is one.

Called by DRF for every exception of a view under `/api/v1/`. A sentence never repeats what a person's number is.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import Error
from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from sms.api import request_ids
from sms.api.v1.problem_kinds import KINDS, page_of
from sms.audiences.errors import SavedError
from sms.compose.errors import ComposeError, RepeatedReference
from sms.compose.spending import CapRefused
from sms.models.sql.trouble import is_away, may_work_again, waited_in_vain
from sms.values.nearest import nearest
from sms.values.problems import Problem, ProblemCode, code_of

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
SENDS = "/api/v1/sends"
MOST_ERRORS = 100  # listed in one problem
_PLACE = re.compile(r"(?:recipients|numbers)\[(\d+)\]")  # in a list of people; its rows count from 1
COMPOSE_FIELDS = {"audience": "recipients", "service": ""}


@extend_schema_field({"$ref": "#/components/schemas/ProblemCode"})
class CodeField(serializers.CharField):
    """Of `ProblemCode`; `schema` has the component."""


class ApiProblem(exceptions.APIException):
    """What a view raises where none of DRF's exceptions says it. `code` is a key of KINDS.

    The field of a problem is a path like `recipients[3].number`; `beside` stands in the body beside what every problem has.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        problems: Iterable[Problem] = (),
        total: int = 0,
        headers: dict[str, str] | None = None,
        beside: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.kind = code
        self.sentence = detail
        self.problems = tuple(problems)
        self.total = max(total, len(self.problems))  # where only the first were looked up
        self.headers = headers or {}
        self.beside = beside or {}


def invalid(
    field: str,
    detail: str,
    *,
    row: int = 0,
    code: ProblemCode = ProblemCode.INVALID,
    choices: Iterable[str] = (),
) -> ApiProblem:
    return of_one(400, "invalid", Problem(code, field, detail, row, choices=tuple(choices)))


def unknown(field: str, what: str, known: Iterable[str], name: str = "") -> ApiProblem:
    """A name that is not known here, beside those that are; `name` where it is not that of the field itself."""
    name, names = name or field, list(known)
    says = f"There is no {what} {name[:40]!r} here. There are: {', '.join(names) or 'none'}."
    return invalid(field[:60], says, code=ProblemCode.UNKNOWN_FIELD, choices=nearest(name, names))


def refused(problem: Problem) -> ApiProblem:
    return of_one(422, "refused", problem)


def conflict(problem: Problem) -> ApiProblem:
    return of_one(409, "conflict", problem)


def of_one(status: int, kind: str, problem: Problem) -> ApiProblem:
    return ApiProblem(status, kind, problem.text, problems=[problem])


def body_of(problem: ApiProblem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": page_of(problem.kind),
        "title": KINDS[problem.kind].title,
        "status": problem.status_code,
        "code": problem.kind,
        "detail": problem.sentence,
        **problem.beside,
    }
    if request_id := request_ids.current():
        shown |= {"instance": f"urn:textdesk:request:{request_id}", "request_id": request_id}
    if problem.problems:
        shown["errors"] = [_shown(one) for one in problem.problems[:MOST_ERRORS]]
        shown["error_count"] = problem.total
    return shown


def _shown(one: Problem) -> dict[str, Any]:
    """Without what stood there, which may be a number. `index` is the place in a list that the request had."""
    place = _PLACE.match(one.field)
    return {
        "field": one.field,
        "code": one.code,
        "detail": one.text,
        "row": one.row or (int(place[1]) + 1 if place else None),
        "index": int(place[1]) if place else None,
        "choices": list(one.choices),
    }


def handle(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: any exception becomes a problem, an unexpected one a 500 with a log line."""
    set_rollback()
    problem = _read(exc, context)
    if problem.status_code >= 500:
        log.error("api_broke", view=type(context.get("view")).__name__, exc_info=exc)
    return Response(
        body_of(problem), status=problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE
    )


def of_many(found: Iterable[Problem]) -> ApiProblem:
    """The sentence is that of the first one."""
    listed = list(found) or [Problem(ProblemCode.INVALID, "", "The request cannot be used.")]
    first = listed[0]
    where = f"{first.field}: " if first.field else ""
    return ApiProblem(400, "invalid", f"{where}{first.text}", problems=listed)


def _read(exc: Exception, context: dict[str, Any]) -> ApiProblem:
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
            if isinstance(exc, CapRefused):
                again = {"Retry-After": str(exc.seconds_left)}
                return ApiProblem(429, "cap_reached", str(exc), problems=found, headers=again)
            return ApiProblem(422, "refused", str(exc), problems=found)
        case SavedError():  # the name is taken, a send used it, it is archived
            return conflict(exc.problem)
        case exceptions.ValidationError():
            return of_many(flat(exc.detail))
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
            allowed = ", ".join(getattr(context.get("view"), "allowed_methods", ()))
            return ApiProblem(405, "method_not_allowed", f"This address takes {allowed}.")
        case exceptions.NotAcceptable():
            return ApiProblem(406, "not_acceptable", "Ask for application/json, or for */*.")
        case RequestDataTooBig():
            return ApiProblem(413, "too_large", "The body is larger than Textdesk takes.")
        case SuspiciousOperation():  # a form of too many fields or files
            return ApiProblem(400, "unreadable", str(exc))
        case exceptions.UnsupportedMediaType():
            takes = [parser.media_type for parser in context["view"].get_parsers()]
            says = f"It came as {_quoted(context)}. This address takes {' and '.join(takes)}."
            return ApiProblem(415, "unsupported_media_type", says, headers={"Accept": ", ".join(takes)})
        case exceptions.Throttled():
            seconds = max(1, int(getattr(exc, "wait", None) or 1))
            says = f"Try again in {seconds} seconds."
            return ApiProblem(429, "too_many_requests", says, headers={"Retry-After": str(seconds)})
        case Error() if may_work_again(exc):
            away = is_away(exc) and not waited_in_vain(exc)
            says = f"The database is {'away' if away else 'busy'}. Try again soon."
            return ApiProblem(503, "unavailable", says, headers={"Retry-After": "10"})
    says = "It was logged. Sending the same request with the same Idempotency-Key is safe."
    return ApiProblem(500, "error", says)


def _quoted(context: dict[str, Any]) -> str:
    """What the request says that its body is."""
    kind = str(getattr(context.get("request"), "content_type", ""))
    return f"{kind[:60]!r}" if kind else "nothing, without a Content-Type"


def flat(detail: Any, path: str = "") -> Iterator[Problem]:
    """DRF's nested details as flat problems."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if isinstance(name, int):
                yield from flat(inner, f"{path}[{name}]")
            else:
                here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
                yield from flat(inner, here)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from flat(inner, f"{path}[{place}]" if isinstance(inner, dict) and inner else path)
    else:
        yield Problem(code_of(getattr(detail, "code", None)), path, str(detail))
