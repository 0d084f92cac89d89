"""The key behind a request of `/api/v1/`: its scope for each action, its service, and doing a thing once per `Idempotency-Key`."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpResponse, QueryDict
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api import idempotency
from sms.api.authentication import KeyAuthentication
from sms.api.throttle import KeyThrottle
from sms.api.v1.problems import ApiProblem, Fault
from sms.models import ApiKey

AUTHENTICATION = (KeyAuthentication,)
THROTTLES = (KeyThrottle,)
HEADER = "Idempotency-Key"
A = TypeVar("A")


class ActionScope(BasePermission):
    """The view names the scope of every action. A method that an address does not take gets its 405 from DRF."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            raise NotAuthenticated(
                "Send your API key in the header `key`, or as `Authorization: Bearer <API key>`."
            )
        action = getattr(view, "action", None)
        if action in (None, "metadata"):
            return True
        needed = view.scopes.get(action, view.scope)
        self.message = f"This key lacks the scope “{needed}”."
        return needed in request.auth.scopes


def key_of(request: Request) -> ApiKey:
    assert isinstance(request.auth, ApiKey)
    return request.auth


def shows_numbers(request: Request) -> bool:
    return "numbers" in key_of(request).scopes


def only_sandbox(request: Request) -> None:
    """A test key never reaches people."""
    if key_of(request).is_test and not key_of(request).service.reaches_sandbox:
        raise ApiProblem(
            403,
            "forbidden",
            "This is a test key, and your service is not connected to a sandbox. Use a live key.",
        )


def need_idempotency_key(request: Request) -> None:
    """Where money is spent, a lost answer must not make a second send."""
    if not request.headers.get(HEADER):
        sentence = "Send an Idempotency-Key, a new random text per send, so that a repeat after a lost answer sends nothing twice."
        raise ApiProblem(400, "idempotency_key_missing", sentence, faults=[Fault(HEADER, sentence)])


def once(request: Request, act: Callable[[], Response]) -> HttpResponse:
    """What `act` answers, in one transaction with what it does; the same request made again with its key gets the same answer."""
    plain = request._request

    def acted() -> idempotency.StoredResponse:
        response = act()
        headers = dict(response.headers.items()) | {"Content-Type": "application/json"}
        return idempotency.StoredResponse(response.status_code, JSONRenderer().render(response.data), headers)

    answer = _answered(
        lambda: idempotency.once(
            idempotency.key_of(plain),
            by=key_of(request),
            fingerprint=idempotency.fingerprint_of(plain, _said(request)),
            act=acted,
        )
    )
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


def before(request: Request) -> HttpResponse | None:
    """The answer that this request got before, for what must not run inside a transaction and calls `once` afterwards."""
    plain = request._request
    answer = _answered(
        lambda: idempotency.kept(
            idempotency.key_of(plain),
            by=key_of(request),
            fingerprint=idempotency.fingerprint_of(plain, _said(request)),
        )
    )
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers) if answer else None


def _answered(ask: Callable[[], A]) -> A:
    """What `ask` answers; what it raises about the Idempotency-Key as problems."""
    try:
        return ask()
    except idempotency.BadKey as problem:
        raise ApiProblem(400, "invalid", str(problem), faults=[Fault(HEADER, str(problem))]) from None
    except idempotency.OtherBody as problem:
        raise ApiProblem(
            422, "idempotency_key_reused", str(problem), faults=[Fault(HEADER, str(problem))]
        ) from None
    except idempotency.UnderWay:
        raise ApiProblem(
            409,
            "conflict",
            "A request with this Idempotency-Key is under way. Ask again in a second.",
            headers={"Retry-After": "1"},
        ) from None


def _said(request: Request) -> bytes:
    """What a repeat has in common with the first request: of a form its fields, since the boundary between them differs."""
    if not isinstance(request.data, QueryDict):
        return request._request.body
    digest = hashlib.sha256()
    for name, values in sorted(request.data.lists()):
        for value in values:
            content = value.read() if hasattr(value, "read") else str(value).encode()
            digest.update(f"{name} {len(content)} ".encode() + content)
            if hasattr(value, "seek"):
                value.seek(0)
    return digest.digest()
