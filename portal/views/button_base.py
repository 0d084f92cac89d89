"""Buttons: a POST that does one thing, says what became of it, and opens a page again."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from portal.access import WRITE, PageView, actor, service_page
from sms.models import Actor, Service

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Does = Callable[[Any, Actor], "Said | None"]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence on the page that opens next. `to` is a page of the service, where it is another one than usual.

    `code` is that of a problem, for scripts and tests.
    """

    words: "StrOrPromise"
    level: int = messages.SUCCESS
    to: str = ""
    code: str = ""

    def on(self, request: HttpRequest) -> None:
        messages.add_message(request, self.level, str(self.words), extra_tags=self.code)


def info(words: "StrOrPromise") -> Said:
    """Nothing was done, and nothing is wrong."""
    return Said(words, messages.INFO)


def error(words: object) -> Said:
    return Said(str(words), messages.ERROR, code=getattr(words, "code", ""))


def button(
    act: str,
    of: type[Model] | None = None,
    *,
    back: str,
    at: str = "pk",
    without: str = "",
    through: str = "service",
    refusals: type[Exception] | tuple[type[Exception], ...] = (),
) -> Callable[[Does], PageView]:
    """Decorate what is done, for those whose role holds `act`: it gets a thing of the service, or the service, and who pressed.

    `through` leads from `of` to its service. `back` is the page that opens next, of the thing's `at`; where that is empty, a page of the
    service, and where the thing has none, the page `without` of the service. What `refusals` say is shown as an error.
    """

    def decorate(does: Does) -> PageView:
        @functools.wraps(does)
        def view(request: HttpRequest, service: Service, thing: Any = None) -> HttpResponse:
            try:
                said = does(thing or service, actor(request))
            except refusals as problem:
                said = error(problem)
            if said is not None:
                said.on(request)
            page = {"pk": getattr(thing, at)} if thing and at else {}
            if page and page["pk"] is None:
                return redirect(without, service=service.slug)
            return redirect(back, service=service.slug, **page)

        things = of._default_manager.select_related(through) if of else None
        return service_page(act, WRITE, of=things, through=through)(view)

    return decorate
