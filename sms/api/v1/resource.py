"""What all resources share: the key and its scope, known parameters only, sparse fields, ETag and If-Match, problem+json."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField, Serializer
from rest_framework.viewsets import GenericViewSet

from sms.api.authentication import KeyAuthentication, PartnerUser
from sms.api.throttle import KeyThrottle, RateLimited
from sms.api.v1 import access, deprecations, problems
from sms.api.v1.bodies import Json, SearchBody, Strict
from sms.api.v1.idle_parts import READING, refuse_idle, repeated_in
from sms.api.v1.paging import Keyset
from sms.api.v1.problems import ApiProblem
from sms.api.v1.schema import ResourceSchema
from sms.api.v1.wrong_fields import NamedFilters, wrong_in_body
from sms.models import Actor, Service

M = TypeVar("M", bound=Model)
Act = Callable[..., Response]


class Resource(RateLimited, GenericViewSet[Any]):
    """A resource of the key's service. An action needs `scope`, or its own of `scopes`.

    `of_service` leads from a row to its service, `owner` to the key that made it: `access.mine`.
    """

    authentication_classes: Any = (KeyAuthentication,)
    permission_classes: Any = (access.ActionScope,)
    throttle_classes: Any = (KeyThrottle,)
    parser_classes: Any = (Json,)
    renderer_classes: Any = (JSONRenderer,)
    filter_backends: Any = (NamedFilters,)
    pagination_class: Any = Keyset
    paginator: Any  # of that class
    metadata_class = None
    http_method_names: Any = ("get", "head", "post", "patch", "delete")
    schema = ResourceSchema()
    lookup_value_converter = "int"
    made: ClassVar[type[Serializer[Any]] | None] = (
        None  # what a new one is answered with, where that is more than what is read
    )
    forms: ClassVar[tuple[str, ...]] = ()  # actions that take a file, so a form too
    scope: ClassVar[str] = ""
    scopes: ClassVar[dict[str, str]] = {}
    of_service: ClassVar[str] = "service"
    owner: ClassVar[str] = "owner"
    unmatched: ClassVar[tuple[str, ...]] = ()  # actions on one thing that do not look at its ETag

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
                raise problems.unknown(name, "parameter", sorted(known))
        changes = request.method not in READING and "pk" in kwargs and self.action not in self.unmatched
        refuse_idle(request, matches=changes)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Whatever is answered, it says that the operation will go."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        match = request.resolver_match
        if match and (going := deprecations.deprecation_of(request.method or "", match.route)):
            for name, value in going.headers.items():
                answer[name] = value
        return answer

    def get_parsers(self) -> list[Any]:
        """Of the action that this method is; which one it is DRF says only later."""
        action = (
            getattr(self, "action_map", {}).get(str(self.request.method).lower()) if self.request else None
        )
        if (getattr(self, "action", None) or action) in self.forms:
            return [*super().get_parsers(), MultiPartParser()]
        return super().get_parsers()

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
            "texts": access.shows_texts(self.request),
            "only": only or None,
        }

    def rows(self) -> "QuerySet[Any]":
        return access.mine(
            self.request, self.get_queryset().filter(**{self.of_service: self.service}), self.owner
        )

    def find(self, rows: "QuerySet[M]", pk: int) -> M:
        found = rows.filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            raise Http404
        return found

    def found(self, pk: int) -> Any:
        """The row that is to be changed: as the caller knows it, where If-Match says so."""
        found = self.find(self.rows(), pk)
        self.expect(found)
        return found

    def answered(self) -> set[str]:
        """What a thing is answered with, where one is made or planned."""
        if self.action not in ("create", "plan") or self.serializer_class is None:
            return set()
        shape: Any = self.made or self.get_serializer_class()
        return set(shape().fields)

    def present(self) -> dict[str, Any]:
        """The thing that a PATCH changes, as GET answers it."""
        row = self.find(self.rows(), self.kwargs["pk"])
        shown: dict[str, Any] = json.loads(
            json.dumps(self.get_serializer(self.prepared([row])[0]).data, default=str)
        )
        return shown

    def prepared(self, rows: Sequence[Any]) -> Sequence[Any]:
        """What is shown of rows. A resource that shows more than the rows reads it here in one go."""
        return rows

    def page(self, rows: "QuerySet[M]") -> Response:
        return self.paged(self.paginate_queryset(self.filter_queryset(rows)) or [])

    def paged(self, found: Sequence[Any]) -> Response:
        """What is shown of rows, as one page."""
        return self.get_paginated_response(self.get_serializer(self.prepared(found), many=True).data)

    def read(self, kind: type[Strict], form: type[Strict] | None = None) -> dict[str, Any]:
        """The body, checked. No body counts as an empty object, a form as the object of its fields, a list's repeated for each entry.

        `form` says what a form has where it has other fields than JSON.
        """
        data = self.request.data
        if isinstance(data, QueryDict):  # where a missing tick would count as no
            kind = form or kind
            lists = {name for name, field in kind().fields.items() if isinstance(field, ListField)}
            if repeated := list(repeated_in(data, lists)):
                raise problems.of_many(repeated)
            data = {
                name: [one for one in data.getlist(name) if one != ""] if name in lists else data[name]
                for name in data
            }
        serializer = kind(
            data=data, context={"answered": self.answered(), "present": functools.cache(self.present)}
        )
        if not serializer.is_valid():
            raise problems.of_many(wrong_in_body(serializer))
        self.request.meant = serializer.meant()  # type: ignore[attr-defined]  # `access.once` compares it
        return dict(serializer.validated_data)

    def shown(self, row: object, *, status: int = 200) -> Response:
        """One thing, with its ETag where all of it is shown; 304 where the caller has that already. A new one (201) with its address."""
        data = self.get_serializer(self.prepared([row])[0]).data
        if self.get_serializer_context()["only"] is not None:
            return Response(data, status=status)
        tag = etag(data)
        headers = {"ETag": tag}
        if status == 201:
            headers["Location"] = f"{self.request.path}/{data['id']}"
        known = self.request.headers.get("If-None-Match", "")
        reading = self.request.method in ("GET", "HEAD")
        # a proxy that compresses makes our tag a weak one
        if reading and (
            known.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]
        ):
            return Response(status=304, headers=headers)
        return Response(data, status=status, headers=headers)

    def expect(self, row: object) -> None:
        """Honour If-Match: refuse where the thing has changed since the caller read it."""
        wanted = self.request.headers.get("If-Match", "").strip()
        if not wanted or wanted == "*":
            return
        shown = self.get_serializer(self.prepared([row])[0]).data
        if etag(shown) not in [one.strip() for one in wanted.split(",")]:
            says = "Read it again, then decide; its ETag is another one now."
            raise ApiProblem(412, "changed_meanwhile", says)


class Collection(Resource):
    def list(self, request: Request) -> Response:
        return self.page(self.rows())

    def retrieve(self, request: Request, pk: int) -> Response:
        return self.shown(self.find(self.rows(), pk))


def described(
    name: str, many: str, one: str, *, listed: str = "The newest first.", read: str
) -> Callable[[type[Collection]], type[Collection]]:
    """What the API's description says of `list` and `retrieve`: `many` and `one` for the summaries, and a sentence for each."""
    return extend_schema_view(
        list=extend_schema(operation_id=f"{name}_list", summary=f"List {many}", description=listed),
        retrieve=extend_schema(operation_id=f"{name}_read", summary=f"Read one {one}", description=read),
    )


def once(name: str, summary: str, body: type[Strict], answer: Any) -> Callable[[Act], Any]:
    """An act of a resource: its body is read as `body`, and it runs once per Idempotency-Key. The API describes it as `name`.

    What is neither `create` nor `partial_update` is posted to an address of its own: of one thing where it takes a `pk`. A change needs
    no key: made twice it is the same.
    """

    def as_action(act: Act) -> Any:
        @functools.wraps(act)
        def done(self: Resource, request: Request, **path: int) -> HttpResponse:
            asked = self.read(body)
            if request.method == "PATCH":
                return act(self, asked, **path)
            return access.once(request, lambda: act(self, asked, **path))

        placed = done
        if act.__name__ not in ("create", "partial_update"):
            placed = posted(detail="pk" in act.__annotations__)(done)
        return extend_schema(operation_id=name, summary=summary, request=body, responses=answer)(placed)

    return as_action


def searched(
    name: str, summary: str, answer: type[Serializer[Any]], body: type[Serializer[Any]] = SearchBody
) -> Callable[[Any], Any]:
    """A search of a collection by number: posted, so that no number stands in an address."""

    describe = extend_schema(
        operation_id=name, summary=summary, request=body, responses=answer(many=True), filters=False
    )
    return lambda method: describe(posted(detail=False)(method))


def posted(*, detail: bool) -> Callable[[Any], Any]:
    """A method at an address of its own name, of the collection or of one thing (`detail`)."""

    return lambda method: action(detail=detail, methods=["post"], url_path=method.__name__.replace("_", "-"))(
        method
    )


def etag(data: object) -> str:
    raw = json.dumps(data, sort_keys=True, default=str, ensure_ascii=True).encode()
    return f'"{hashlib.sha256(raw).hexdigest()[:32]}"'
