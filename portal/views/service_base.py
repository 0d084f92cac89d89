"""What every class-based page of a service has: the service of the address, and the permission that its act needs."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import ListView, View

from portal.access import service_page
from sms.models import Service


class ServiceView(View):
    """`act` is one of `portal.access.ACTS`; `self.service` is the service of the address."""

    act: ClassVar[str]
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own spelling
    request: HttpRequest
    service: Service

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        return service_page(cls.act, methods=None)(super().as_view(**initkwargs))

    def setup(self, request: HttpRequest, service: Service, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.service = service


class LenientListView(ListView):
    """A page that does not exist is the first or the last one, instead of a 404. In templates it is `page`."""

    def paginate_queryset(self, queryset: Any, page_size: int) -> tuple[Paginator, Page, Any, bool]:
        page = Paginator(queryset, page_size).get_page(self.request.GET.get("page"))
        return page.paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"page": context["page_obj"]}
