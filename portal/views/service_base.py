"""What every class-based page of a service has: the service of the address, and the permission that its act needs."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.generic import View
from django.views.generic.base import ContextMixin

from portal.access import PageView, actor, service_page
from sms.models import Actor, Service


class ServiceView(ContextMixin, View):
    """`act` is one of `portal.access.ACTS`; `self.service` is the service of the address."""

    act: ClassVar[str]
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own spelling
    request: HttpRequest
    service: Service

    @classmethod
    def as_view(cls, **initkwargs: Any) -> PageView:
        return service_page(cls.act, methods=None)(super().as_view(**initkwargs))

    def setup(self, request: HttpRequest, service: Service, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.service = service

    @property
    def by(self) -> Actor:
        return actor(self.request)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Where the page is a form."""
        page: Any = self
        answer: HttpResponse = page.render_to_response(page.get_context_data(form=form), status=422)
        return answer
