"""The OpenAPI documents as they are served. Like the API itself they ignore no parameter in silence."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import problems


class DocumentView(SpectacularJSONAPIView):
    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return problems.handle

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name in request.query_params:
            raise problems.unknown(name, "parameter", ())
