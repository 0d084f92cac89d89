"""What pages with forms share: what was typed, the answer to a mistake, and refusals of the domain beside the fields."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from portal.access import actor
from portal.forms.problems import add_problems
from sms.catalogue.form_changes import changes, hold_back
from sms.models import Service, WaitingChange
from sms.models.audit import audit
from sms.values.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SAVED = gettext_lazy("Saved.")


def typed(request: HttpRequest) -> dict[str, Any]:
    """Arguments of a form: what a POST brings, and nothing where the page is opened."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


def form_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page; 422 where one of its forms has a mistake."""
    wrong = any(isinstance(one, BaseForm) and one.errors for one in context.values())
    return render(request, template, context, status=422 if wrong else 200)


def keep(
    request: HttpRequest,
    service: Service,
    form: Any,
    *,
    act: str = "service.changed",
    says: "StrOrPromise" = SAVED,
) -> None:
    """Save a page of settings, with what was changed in the audit. What makes approval weaker waits, and the page says so."""
    with transaction.atomic():
        held = hold_back(form, by=actor(request))
        form.save()
        if form.changed_data:
            audit(act, service, by=actor(request), **changes(form))
    say_kept(request, form, held, says=says)


def say_kept(request: HttpRequest, form: Any, held: WaitingChange | None, *, says: "StrOrPromise") -> None:
    if held is None or form.changed_data:
        messages.success(request, says)
    if held is not None:
        messages.warning(request, held.sentence)


@contextmanager
def refused_beside(form: Any, *refusals: type[Exception], field: str = "") -> Iterator[None]:
    """Show these exceptions at `field`, or at the field that they name; above the form where it has no such field."""
    try:
        yield
    except refusals as problem:
        code, name = getattr(problem, "code", ProblemCode.INVALID), field or getattr(problem, "field", "")
        add_problems(form, [Problem(code, name, str(problem))])
