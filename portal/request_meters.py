"""Requests that we answer, counted by lane and status with how long they took: `textdesk_http_request_duration_seconds`."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.body_limits import OF_OPERATORS
from portal.machines import KEPT_AS_THEY_CAME, address_of
from sms.values.meters import meters

NAME = "textdesk_http_request_duration_seconds"


class RequestMeters:
    """Until an answer begins; a long one is made while it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        status = f"{response.status_code // 100}xx"
        meters.observe(NAME, time.monotonic() - began, lane=lane_of(request.path_info), status=status)
        return response


def lane_of(path: str) -> str:
    """As `portal.web.front` gives it a thread."""
    address = address_of(path)
    if address is None:
        return "people"
    if address.prefix in KEPT_AS_THEY_CAME:
        return "provider"
    return "operators" if address.prefix in OF_OPERATORS else "partners"
