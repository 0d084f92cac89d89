"""Statements that the database refused or did not answer, counted by the class of their SQLSTATE."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, IntegrityError

from sms.models.sql import trouble
from sms.operations import own_facts


def watch(connection: Any, **_: Any) -> None:
    """Of a new connection. What breaks a constraint is left out: that is how rows are found to be there already."""
    if _counting not in connection.execute_wrappers:
        connection.execute_wrappers.append(_counting)


def _counting(execute: Callable[..., Any], *given: Any) -> Any:
    try:
        return execute(*given)
    except IntegrityError:
        raise
    except DatabaseError as problem:
        trouble.count(problem)
        if trouble.is_of_storage(problem):
            own_facts.troubles.damaged()
        raise
