"""Schemathesis over every operation of the OpenAPI document, in this process. Called by the suite (few cases) and by the bench (all)."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from django.core import signals
from django.db import close_old_connections
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from portal.wsgi import application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

UNREAL = ("/api/v1/callback-endpoints/{id}/verify",)  # posts to whoever the endpoint is
NO_RECIPIENTS = 2**62


@dataclass
class Report:
    """How many answers each operation gave by status, and what was wrong with any."""

    answered: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return sum(self.answered.values())

    @property
    def broke(self) -> int:
        """Answers of 500 and above."""
        return sum(count for name, count in self.answered.items() if int(name.split()[-1]) >= 500)


def fuzz(token: str, *, ids: dict[str, int], cases: int, part: int = 0, of: int = 1) -> Report:
    """`cases` per operation, allowed and forbidden ones; of all operations every `of`-th, beginning with number `part`.

    Half of those that are allowed are about a thing that there is: `ids` has one by the name of its list.
    """
    # a test's connection outlives its requests
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    report = Report()
    try:
        schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
        for result in list(schema.get_all_operations())[part::of]:
            operation = result.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                known = ids.get(operation.path.removeprefix("/api/v1/").partition("/")[0])
                known = None if mode is GenerationMode.NEGATIVE or operation.path in UNREAL else known
                _one(operation, mode, token, cases // 2, report, known)
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)
    return report


def _one(operation: Any, mode: Any, token: str, cases: int, report: Report, known: int | None) -> None:
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    def tried(case: Any) -> None:
        if operation.path in UNREAL and str(case.path_parameters.get("id", "")).isdecimal():
            case.path_parameters["id"] = NO_RECIPIENTS
        if known is not None and "id" in case.path_parameters and report.cases % 2:
            case.path_parameters["id"] = known
        response = case.call(headers={"key": token, "Authorization": f"Bearer {token}"})
        report.answered[f"{operation.label} {response.status_code}"] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        tried()
    except hypothesis.errors.Unsatisfiable:  # nothing of it can be forbidden
        return
    except (
        Exception,
        BaseExceptionGroup,
    ) as problem:  # whatever a check or the application says; the next operation has its turn
        report.failures.append(f"{operation.label} ({mode.value}): {type(problem).__name__}: {problem}")
