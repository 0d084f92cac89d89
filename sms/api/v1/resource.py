"""What all resources share: the key and its scope, known parameters only, sparse fields, ETag and If-Match, problem+json."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField, Serializer
from rest_framework.viewsets import GenericViewSet

from sms.api.authentication import PartnerUser
from sms.api.throttle import with_rate_limit
from sms.api.v1 import access, problems
from sms.api.v1.paging import Keyset
from sms.api.v1.problems import ApiProblem
from sms.api.v1.reading import Json
from sms.api.v1.schema import ResourceSchema
from sms.models import Actor, Service

M = TypeVar("M", bound=Model)
Act = Callable[..., Response]


class Resource(GenericViewSet[Any]):
    """A resource of the key's service. An action needs `scope`, or its own of `scopes`; `owner` leads from a row to its service."""

    authentication_classes: Any = access.AUTHENTICATION
    permission_classes: Any = (access.ActionScope,)
    throttle_classes: Any = access.THROTTLES
    parser_classes: Any = (Json,)
    renderer_classes: Any = (JSONRenderer,)
    filter_backends: Any = (DjangoFilterBackend,)
    pagination_class: Any = Keyset
    metadata_class = None
    schema = ResourceSchema()
    scope: ClassVar[str] = ""
    scopes: ClassVar[dict[str, str]] = {}
    owner: ClassVar[str] = "service"

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        """Problems, whatever the settings say for other views."""
        return problems.handle

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the key was looked at: no parameter that would be ignored."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            _ = request._request.body  # before a parser takes it: `access.once` looks at it too
        known = self.parameters()
        for name in request.query_params:
            if name not in known:
                allowed = ", ".join(sorted(known)) or "none"
                raise problems.invalid(
                    name, f"There is no parameter {name[:40]!r} here. There are: {allowed}."
                )

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return with_rate_limit(request, super().finalize_response(request, response, *args, **kwargs))

    def parameters(self) -> set[str]:
        if self.request.method not in ("GET", "HEAD"):
            return set()
        own: set[str] = {"fields"} if self.serializer_class else set()
        if self.action != "retrieve":
            filters = getattr(self, "filterset_class", None)
            own |= {"cursor", "limit"} | set(filters.base_filters if filters else ())
        return own

    @property
    def service(self) -> Service:
        return access.key_of(self.request).service

    @property
    def by(self) -> Actor:
        partner: PartnerUser = self.request.user  # type: ignore[assignment]
        return partner.actor

    def get_serializer_context(self) -> dict[str, Any]:
        wanted = self.request.query_params.get("fields", "") if self.request.method in ("GET", "HEAD") else ""
        only = [name.strip() for name in wanted.split(",") if name.strip()]
        return {
            **super().get_serializer_context(),
            "numbers": access.shows_numbers(self.request),
            "only": only or None,
        }

    def rows(self) -> "QuerySet[Any]":
        return self.get_queryset().filter(**{self.owner: self.service})

    def find(self, rows: "QuerySet[M]", pk: int) -> M:
        found = rows.filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            raise Http404
        return found

    def page(self, rows: "QuerySet[M]", prepare: Callable[[list[M]], list[Any]] | None = None) -> Response:
        """One filtered page; `prepare` reads in one go what the rows need beside themselves."""
        found = self.paginate_queryset(self.filter_queryset(rows)) or []
        items = prepare(list(found)) if prepare else found
        return self.get_paginated_response(self.get_serializer(items, many=True).data)

    def listed(self, items: Sequence[Any]) -> Response:
        """One page of what is no table."""
        pages: Any = self.paginator
        found = pages.within(items, self.request)
        return self.get_paginated_response(self.get_serializer(found, many=True).data)

    def sought(self, rows: "QuerySet[M]", body: dict[str, Any]) -> Response:
        """One page of a search, whose cursor and limit stand in the body."""
        pages: Any = self.paginator
        found = pages.after(rows, body.get("cursor", ""), body["limit"])
        return self.get_paginated_response(self.get_serializer(found, many=True).data)

    def read(self, kind: type[Serializer[Any]]) -> dict[str, Any]:
        """The body, checked. No body counts as an empty object, a form as the object of its fields, a list's repeated for each entry."""
        data = self.request.data
        if isinstance(data, QueryDict):  # where a missing tick would count as no
            lists = {name for name, field in kind().fields.items() if isinstance(field, ListField)}
            data = {name: data.getlist(name) if name in lists else data[name] for name in data}
        serializer = kind(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def shown(self, thing: object, *, status: int = 200) -> Response:
        """One thing, with its ETag where all of it is shown; 304 where the caller has that already."""
        data = self.get_serializer(thing).data
        if self.get_serializer_context()["only"] is not None:
            return Response(data, status=status)
        tag = etag(data)
        known = self.request.headers.get("If-None-Match", "")
        reading = self.request.method in ("GET", "HEAD")
        # a proxy that compresses makes our tag a weak one
        if reading and (
            known.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]
        ):
            return Response(status=304, headers={"ETag": tag})
        return Response(data, status=status, headers={"ETag": tag})

    def expect(self, thing: object) -> None:
        """Honour If-Match: refuse where the thing has changed since the caller read it."""
        wanted = self.request.headers.get("If-Match", "").strip()
        if not wanted or wanted == "*":
            return
        if etag(self.get_serializer(thing).data) not in [one.strip() for one in wanted.split(",")]:
            raise ApiProblem(
                412, "changed_meanwhile", "Read it again, then decide; its ETag is another one now."
            )


class Collection(Resource):
    def list(self, request: Request) -> Response:
        return self.page(self.rows())

    def retrieve(self, request: Request, pk: int) -> Response:
        return self.shown(self.find(self.rows(), pk))


def described(
    name: str, many: str, one: str, *, listed: str, read: str
) -> Callable[[type[Collection]], type[Collection]]:
    """What the API's description says of `list` and `retrieve`: `many` and `one` for the summaries, and a sentence for each."""
    return extend_schema_view(
        list=extend_schema(operation_id=f"{name}_list", summary=f"List {many}", description=listed),
        retrieve=extend_schema(operation_id=f"{name}_read", summary=f"Read one {one}", description=read),
    )


def once(name: str, summary: str, body: type[Serializer[Any]], answer: Any) -> Callable[[Act], Any]:
    """An act of a resource: its body is read as `body`, and it runs once per Idempotency-Key. The API describes it as `name`."""

    def as_action(act: Act) -> Any:
        @extend_schema(operation_id=name, summary=summary, request=body, responses=answer)
        @functools.wraps(act)
        def action(self: Resource, request: Request, **path: int) -> HttpResponse:
            asked = self.read(body)
            return access.once(request, lambda: act(self, asked, **path))

        return action

    return as_action


def etag(data: object) -> str:
    raw = json.dumps(data, sort_keys=True, default=str, ensure_ascii=True).encode()
    return f'"{hashlib.sha256(raw).hexdigest()[:32]}"'
