"""One line for each request, where ACCESS_LOG asks for it; `portal.logs` cuts what is secret in addresses."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from sms.api.authentication import address_of

log = structlog.get_logger(__name__)


class AccessLog:
    """`person` is the key of a user, as in the audit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.ACCESS_LOG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        caller, began = address_of(request), time.monotonic()
        response = self.get_response(request)
        log.info(
            "request",
            method=request.method,
            path=request.get_full_path(),
            status=response.status_code,
            ms=round((time.monotonic() - began) * 1000),
            person=getattr(getattr(request, "_cached_user", None), "pk", None),
            address=caller,
        )
        return response
