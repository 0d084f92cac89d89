"""Each request has a name (`sms.api.request_ids`), and what a program was refused is kept for its key. The first middleware."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.logs import without_keys
from portal.machines import KEPT_AS_THEY_CAME, address_of
from sms.api import refused_requests, request_ids
from sms.models import ApiKey


class RequestIds:
    """The front and Django's own line about a refused request find the name where this one does: in `request.META`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_ids.about(request.META) as request_id:
            response = self.get_response(request)
            response.headers[request_ids.HEADER] = request_id
            keep_refused(request, response)
            return response


def keep_refused(request: HttpRequest, response: HttpResponse) -> None:
    """Some APIs refuse with 200; their answers are marked as DRF marks them."""
    refused = response.status_code >= 400 or getattr(response, "exception", False)
    address = address_of(request.path_info) if refused else None
    if address is None or address.prefix in KEPT_AS_THEY_CAME or response.streaming:
        return
    found = getattr(request, "auth", None)  # as DRF leaves it, of a JWT too
    prefix = refused_requests.note(
        request.headers,
        key=found if isinstance(found, ApiKey) else None,
        request_id=request_ids.of_environ(request.META),
        method=request.method or "",
        path=without_keys(request.get_full_path()),
        status=response.status_code,
        content=response.content,
    )
    said = refused_requests.said_in(response.content)
    request.refused = {"key": prefix, "code": said.get("code", "")}  # type: ignore[attr-defined]  # for the log
