"""Schemathesis over every operation of the OpenAPI document, in this process. Called by the suite (few cases) and by the bench (all)."""

from collections import Counter
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


def fuzz(token: str, *, cases: int) -> Counter[str]:
    """`cases` per operation, allowed and forbidden ones; raises on the first failure. How many answers had which status."""
    for signal in (
        signals.request_started,
        signals.request_finished,
    ):  # a test's connection outlives its requests
        signal.disconnect(close_old_connections)
    try:
        return _all(token, cases)
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def _all(token: str, cases: int) -> Counter[str]:
    schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
    answered: Counter[str] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _one(operation, mode, token, cases // 2, answered)
    return answered


def _one(operation: Any, mode: Any, token: str, cases: int, answered: Counter[str]) -> None:
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
        response = case.call(headers={"key": token, "Authorization": f"Bearer {token}"})
        answered[f"{operation.label} {response.status_code}"] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        tried()
    except hypothesis.errors.Unsatisfiable:  # nothing of it can be forbidden
        return
