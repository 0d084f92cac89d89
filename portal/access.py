"""Who may do what: the table of roles, and how a view gets its service.

A service that the viewer is no member of is a 404, an act that their role does not hold is a 403.
"""

import functools
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from portal.models import Role, User
from sms.models import Actor, Service
from sms.values import time_zones

PageView = Callable[..., HttpResponseBase]
READ, WRITE, FORM = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")  # the methods of a view

ACTS: dict[str, frozenset[str]] = {
    "see": frozenset(Role.values),
    "compose": frozenset({Role.COMPOSER, Role.ADMIN}),
    "approve": frozenset({Role.APPROVER}),
    "cancel": frozenset({Role.COMPOSER, Role.APPROVER, Role.ADMIN}),
    "opt_out": frozenset({Role.COMPOSER, Role.ADMIN}),
    "opt_in": frozenset({Role.ADMIN}),
    "export": frozenset({Role.ADMIN, Role.AUDITOR}),
    "report": frozenset({Role.COMPOSER, Role.ADMIN, Role.AUDITOR}),
    "settle": frozenset({Role.ADMIN}),
    "reveal": frozenset({Role.ADMIN, Role.AUDITOR}),
    "configure": frozenset({Role.ADMIN}),
    "audit": frozenset({Role.AUDITOR, Role.ADMIN}),
}


def services_of(user: User) -> "QuerySet[Service]":
    """The services a person can see; a superuser sees all."""
    if user.is_superuser:
        return Service.objects.all()
    return Service.objects.filter(memberships__user=user).distinct()


def may(user: User, service: Service) -> frozenset[str]:
    """The acts that a person's roles hold in a service."""
    if user.is_superuser:
        return frozenset(ACTS)
    return _acts_of(set(user.memberships.filter(service=service).values_list("role", flat=True)))


def _acts_of(roles: set[str]) -> frozenset[str]:
    return frozenset(act for act, holders in ACTS.items() if roles & holders)


def _opened(user: User, slug: str) -> tuple[Service, frozenset[str]]:
    """A service that the person can see, and the acts that they hold there, in one query: every page asks it. Raises Http404."""
    if user.is_superuser:
        return get_object_or_404(
            Service.objects.select_related("region", "counted_in"), slug=slug
        ), frozenset(ACTS)
    held = list(
        user.memberships.filter(service__slug=slug).select_related("service__region", "service__counted_in")
    )
    if not held:
        raise Http404("no such service")
    return held[0].service, _acts_of({one.role for one in held})


def service_page(
    act: str, methods: Sequence[str] | None = READ, *, of: Any = None, through: str = "service"
) -> Callable[[PageView], PageView]:
    """Decorate a view of `/s/<service>/…`: it gets the Service object, and runs only for those whose role holds `act`.

    With `of`, a model or a queryset, it also gets that of the address's `pk`, whose service `through` leads to. `methods` is None where
    the view checks them itself, as class-based ones do.
    """
    if act not in ACTS:
        raise ValueError(f"no such act: {act}")

    def decorate(view: PageView) -> PageView:
        def found_thing(request: HttpRequest, service: Service, *, pk: int) -> HttpResponseBase:
            return view(request, service, get_object_or_404(of, pk=pk, **{through: service}))

        called = view if of is None else found_thing
        allowed = require_http_methods(methods)(called) if methods else called

        @functools.wraps(view)
        def guarded(request: HttpRequest, service: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user: Any = request.user
            found, held = _opened(user, service)
            if act not in held:
                raise PermissionDenied
            request.service, request.may = found, held  # type: ignore[attr-defined]
            zone = zoneinfo.ZoneInfo(time_zones.or_utc(user.time_zone or found.time_zone))
            with timezone.override(zone):
                answer = allowed(request, found, *args, **kwargs)
                # generic views leave drawing for later, when the zone is another
                return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer

        guarded.act = act  # type: ignore[attr-defined]
        guarded.opens = methods is None or "GET" in methods  # type: ignore[attr-defined]
        return guarded

    return decorate


def actor(request: HttpRequest) -> Actor:
    return Actor.person(request.user, address=request.META.get("REMOTE_ADDR"))
