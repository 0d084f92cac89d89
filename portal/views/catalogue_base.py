"""What the pages of every kind of thing in the catalogue share: list, form, and what becomes of one that is taken out."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.access import actor
from portal.forms.catalogue import NounForm
from portal.presenters.form_changes import changes
from sms.models import (
    ContactPolicyGroup,
    Draft,
    MessageTemplate,
    Send,
    Sender,
    Service,
    ShortLinkDomain,
    Smartlink,
)
from sms.models.audit import audit

PAGE = 50


@dataclass(frozen=True, slots=True)
class Noun:
    """The words and addresses of one kind of thing. `one` is its detail page."""

    name: str
    title: str
    says: str
    many: str
    one: str
    new: str
    form: type[NounForm]
    in_acts: str = ""  # in the audit's acts, where it is not the name

    def act(self, verb: str) -> str:
        """`policy_group.changed`."""
        return f"{self.in_acts or self.name.replace(' ', '_')}.{verb}"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A line of a list: the thing, and its cells in the order of the headings."""

    thing: Any
    cells: list[str] = field(default_factory=list)


def listed(
    request: HttpRequest, noun: Noun, things: Any, heads: list[str], cells: Any, **more: Any
) -> HttpResponse:
    """A page of them, in use or archived. `cells` makes the cells of many at once, by primary key."""
    archived = request.GET.get("archived") == "1"
    page = Paginator(things.filter(active=not archived), PAGE).get_page(request.GET.get("page"))
    told = cells(list(page))
    context = {
        "noun": noun,
        "heads": heads,
        "page": page,
        "rows": [CatalogueRow(one, told[one.pk]) for one in page],
        "archived": archived,
        "any_archived": archived or things.filter(active=False).exists(),
    }
    return render(request, "catalogue/things.html", context | more)


def edited(request: HttpRequest, service: Service, noun: Noun, thing: Any = None) -> HttpResponse:
    """The form of a new one, or of `thing`."""
    form = noun.form(request.POST if request.method == "POST" else None, instance=thing, service=service)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            saved = form.save()
            audit(noun.act("changed" if thing else "added"), saved, by=actor(request), **changes(form))
        messages.success(request, "Saved.")
        return redirect(noun.one, service=service.slug, pk=saved.pk)
    context = {"noun": noun, "form": form, "thing": thing}
    return render(request, "catalogue/form.html", context, status=422 if form.errors else 200)


def removed(request: HttpRequest, service: Service, noun: Noun, thing: Any) -> HttpResponse:
    """What nothing uses is deleted; the rest is archived, and a second press takes it back."""
    with transaction.atomic():
        if not thing.active:
            thing.active = True
            thing.save(update_fields=["active"])
            audit(noun.act("restored"), thing, by=actor(request))
            messages.success(request, f"{thing} can be used again.")
            return redirect(noun.one, service=service.slug, pk=thing.pk)
        if _used(thing):
            thing.active = False
            if isinstance(thing, Sender):
                thing.is_default = False
            thing.save()
            audit(noun.act("archived"), thing, by=actor(request))
            messages.success(request, f"{thing} is in use, so it was archived: its history stays readable.")
            return redirect(noun.one, service=service.slug, pk=thing.pk)
        audit(noun.act("deleted"), thing, by=actor(request), named=str(thing))
        thing.delete()
    messages.success(request, f"{thing} was deleted; nothing used it.")
    return redirect(noun.many, service=service.slug)


def _used(thing: Any) -> bool:
    if isinstance(thing, Smartlink):
        drafts = Draft.objects.filter(service=thing.service, text__contains=thing.token)
        return (
            drafts.exists()
            or Send.objects.filter(service=thing.service, text__contains=thing.token).exists()
            or MessageTemplate.objects.filter(
                service=thing.service, versions__text__contains=thing.token
            ).exists()
        )
    name = {Sender: "sender", ContactPolicyGroup: "policy_group", ShortLinkDomain: "link_domain"}[type(thing)]
    return (
        (hasattr(thing, "holds") and thing.holds.exists())
        or Send.objects.filter(**{name: thing}).exists()
        or Draft.objects.filter(**{name: thing}).exists()
    )
