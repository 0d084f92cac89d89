"""The key behind a request of `/api/v1/`: its scope for each action, its service, what is its own, and doing a thing once per
`Idempotency-Key`."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api import idempotency
from sms.api.idempotency import HEADER
from sms.api.v1.problems import ApiProblem, invalid, of_one
from sms.models import ApiKey
from sms.values.problems import Problem, ProblemCode

M = TypeVar("M", bound=Model)
SHARED = ""  # instead of a path to an owner: every key of the service may see it


class ActionScope(BasePermission):
    """The view names the scope of every action. A method that an address does not take gets its 405 from DRF."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            says = "Send your API key in the header `key`, or in `Authorization` after the word Bearer."
            raise NotAuthenticated(says)
        action = getattr(view, "action", None)
        if action in (None, "metadata"):
            return True
        needed = view.scopes.get(action, view.scope)
        if not needed:  # what every key may know of itself
            return True
        self.message = f"This key lacks the scope “{needed}”."
        return request.auth.may(needed)


def key_of(request: Request) -> ApiKey:
    assert isinstance(request.auth, ApiKey)
    return request.auth


def mine(request: Request, rows: "QuerySet[M]", owner: str = "owner") -> "QuerySet[M]":
    """What of the service's rows the key may know of: what keys of its name made, or with the scope `all` everything.

    `owner` leads from a row to the column of who made it (`ApiKey.identity`), or is SHARED. To everything else the answer is that of
    what does not exist.
    """
    return rows if owner == SHARED else key_of(request).mine(rows, owner)


def shows_numbers(request: Request) -> bool:
    return key_of(request).may("numbers")


def shows_texts(request: Request) -> bool:
    """What messages say, what people answer, and the values that were filled in."""
    return key_of(request).may("texts")


def only_sandbox(request: Request) -> None:
    """A test key never reaches people."""
    if key_of(request).is_test and not key_of(request).service.is_sandbox:
        says = "This is a test key, and your service is not connected to a sandbox. Use a live key."
        raise ApiProblem(403, "forbidden", says)


def need_idempotency_key(request: Request) -> None:
    """Where money is spent, a lost answer must not make a second send."""
    if not request.headers.get(HEADER):
        sentence = "Send an Idempotency-Key, a new random text per send, so that a repeat after a lost answer sends nothing twice."
        raise of_one(400, "idempotency_key_missing", Problem(ProblemCode.REQUIRED, HEADER, sentence))


def once(request: Request, act: Callable[[], Response]) -> HttpResponse:
    """What `act` answers, in one transaction with what it does; the same request made again with its key gets the same answer."""

    def acted() -> HttpResponse:
        response = act()
        headers = dict(response.headers.items()) | {"Content-Type": "application/json"}
        content = JSONRenderer().render(response.data)
        return HttpResponse(content, status=response.status_code, headers=headers)

    answer = _answered(request, partial(idempotency.once, act=acted))
    assert answer is not None
    return answer


def before(request: Request) -> HttpResponse | None:
    """The answer that this request got before, for what must not run inside a transaction and calls `once` afterwards."""
    return _answered(request, idempotency.kept)


def _answered(request: Request, ask: Callable[..., HttpResponse | None]) -> HttpResponse | None:
    """What `ask` answers to this request and its key; what it raises about the Idempotency-Key as problems."""
    plain = request._request
    try:
        key, said = idempotency.key_of(plain), _said(request)
        return ask(
            key, by=key_of(request), fingerprint=idempotency.fingerprint_of(plain, said, by=key_of(request))
        )
    except idempotency.BadKey as problem:
        raise invalid(HEADER, str(problem)) from None
    except idempotency.OtherBody as problem:
        used = Problem(ProblemCode.TAKEN, HEADER, str(problem))
        raise of_one(422, "idempotency_key_reused", used) from None
    except idempotency.UnderWay:
        sentence = "A request with this Idempotency-Key is under way. Ask again in a second."
        raise ApiProblem(409, "conflict", sentence, headers={"Retry-After": "1"}) from None


def _said(request: Request) -> bytes:
    """What a repeat has in common with the first request, however it was written; of a file its content."""
    meant: dict[str, Any] = request.meant  # type: ignore[attr-defined]  # of `Resource.read`
    digest = hashlib.sha256()
    for name in sorted(meant):
        value = meant[name]
        content = value.read() if hasattr(value, "read") else json.dumps(value, sort_keys=True).encode()
        digest.update(f"{name} {len(content)} ".encode() + content)
        if hasattr(value, "seek"):
            value.seek(0)
    return digest.digest()
