"""A page that asks before it acts. It says how much is at stake, asks for a reason where one is needed, and works without JavaScript.

What cancels, stops, discards, revokes, removes or ends something asks here, and so does what sends at once; what a press takes back, as a
pause, does not. `tests/portal/test_asking_first.py` holds every address to it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.generic import FormView

from portal.access import PageView
from portal.views.button_base import Does, Said, error
from portal.views.service_base import ServiceView

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Confirmation:
    """A title, sentences, and the words of the button."""

    def __init__(self, title: str, *says: str, button: str, danger: bool = True) -> None:
        self.title, self.says, self.button, self.danger = title, says, button, danger


class ConfirmView(ServiceView, FormView):
    """GET asks (`confirmation`), POST acts (`confirmed`).

    `model` is what of the service the address names; it is found as `self.thing`. `back` is the URL name of the page before this one,
    `crumb` what it is called; where `back_to_thing`, it is the thing's own page. What `refusals` say is shown there as an error.
    """

    template_name = "control/ask.html"
    form_class: Any = forms.Form
    model: type[Model] | None = None
    thing: Any = None
    back = ""
    back_to_thing = False
    crumb: Any = ""
    refusals: tuple[type[Exception], ...] = ()

    def confirmation(self) -> Confirmation:
        raise NotImplementedError

    def confirmed(self, form: Any) -> Said | HttpResponse | None:
        """Act, and say what was done; the page before is opened next, unless a response is given."""
        raise NotImplementedError

    def find(self) -> Any:
        if self.model is None:
            return None
        return get_object_or_404(self.model, service=self.service, pk=self.kwargs["pk"])

    def over(self) -> Said | None:
        """Why there is nothing left to ask; it is said on the page before."""
        return None

    def at_stake(self) -> object:
        """What is stopped (`sms.sends.control.AtStake`), where the page says it."""
        return None

    def get_success_url(self) -> str:
        pk = [self.thing.pk] if self.back_to_thing else []
        return reverse(self.back, args=[self.service.slug, *pk])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.thing = self.find()
        if (over := self.over()) is not None:
            over.on(request)
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "asked": self.confirmation(),
            "at_stake": self.at_stake(),
            "back": self.get_success_url(),
            "crumb": self.crumb or self.thing,
        }

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            done = self.confirmed(form)
        except self.refusals as problem:
            done = error(problem)
        if isinstance(done, Said):
            done.on(self.request)
            done = redirect(done.to, self.service.slug) if done.to else None
        return done or super().form_valid(form)


def asking(
    act: str,
    of: Any = None,
    *,
    asks: Callable[[Any], Confirmation | Said],
    back: str,
    at: str = "pk",
    through: str = "service",
    crumb: "StrOrPromise" = "",
    refusals: tuple[type[Exception], ...] = (),
) -> Callable[[Does], PageView]:
    """As `portal.views.button_base.button`, but asked first: `asks` says what will happen, or what makes the question idle."""

    def decorate(does: Does) -> PageView:
        class Asking(ConfirmView):
            one: tuple[Any, ...] | list[Any] = ()

            def find(self) -> Any:
                if of is None:
                    return self.service
                rows = of._default_manager.select_related(through)
                found = get_object_or_404(rows, **{through: self.service}, pk=self.kwargs["pk"])
                self.one = [getattr(found, at)] if at else []  # what is deleted has no key afterwards
                return found

            def over(self) -> Said | None:
                if self.request.method == "POST":
                    return None  # what is done says it
                self.asked = asks(self.thing)
                return self.asked if isinstance(self.asked, Said) else None

            def confirmation(self) -> Confirmation:
                asked = self.asked
                assert isinstance(asked, Confirmation)
                return asked

            def get_success_url(self) -> str:
                return reverse(back, args=[self.service.slug, *self.one])

            def confirmed(self, form: Any) -> Said | None:
                return does(self.thing, self.by)

        Asking.act, Asking.crumb, Asking.refusals = act, crumb, refusals
        return Asking.as_view()

    return decorate


def ask(request: HttpRequest, asked: Confirmation, *, back: str, crumb: str) -> HttpResponse:
    """The question on a page of no service."""
    return render(request, "control/ask.html", {"asked": asked, "back": back, "crumb": crumb})
