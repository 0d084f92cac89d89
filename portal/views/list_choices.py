"""Saving a list's filter under a name, removing it, and choosing a list's columns."""

from typing import Any
from urllib.parse import unquote_plus

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access import FORM, WRITE, service_page
from portal.forms.texts import text_of
from portal.lists import PAGES, address_of
from portal.presenters.list_columns import COLUMNS, choose_columns
from portal.views.confirm_base import Confirmation, ask
from sms.models import KeptList, SavedFilter, Service
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import numbers_like
from sms.words import number

MOST = 30  # filters of a person for one list
LONGEST_NAME = 40
LONGEST_QUERY = 600


@service_page("see", WRITE)
def filter_save(request: HttpRequest, service: Service) -> HttpResponse:
    """The same name again stands for the new search from then on."""
    of = _list(request)
    if of is None:
        return redirect("sends", service=service.slug)
    user: Any = request.user
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    name = " ".join(text_of(request.POST, "name", most=LONGEST_NAME).split())
    query = address_of(of, text_of(request.POST, "query", most=2000), service)
    mine = SavedFilter.objects.filter(user=user, service=service, of=of)
    if says := _problem(name, query):
        messages.error(request, says)
    elif not mine.filter(name=name).exists() and mine.count() >= MOST:
        messages.error(
            request, _("You have %(most)s filters of this list. Remove one first.") % {"most": number(MOST)}
        )
    else:
        shared = request.POST.get("shared") == "1" and "configure" in held
        kept = {"query": query, "shared": shared, "made_at": corrected_now()}
        SavedFilter.objects.update_or_create(kept, user=user, service=service, of=of, name=name)
        says = (
            _("“%(name)s” stands above the list now, for everyone here.")
            if shared
            else _("“%(name)s” stands above the list now.")
        )
        messages.success(request, says % {"name": name})
    return _back(of, service, query)


def _problem(name: str, query: str) -> str:
    """Why it cannot be saved, with the way out."""
    if not query:
        return _("Narrow the list down first, then save that.")
    if not name:
        return _("Give the filter a name.")
    if len(query) > LONGEST_QUERY:
        return _("This search is too long to be saved. Shorten it.")
    in_clear = (
        "" if query.startswith("for=") else unquote_plus(query)
    )  # the words of a message search are sealed
    if numbers_like(f"{name} {in_clear}"):
        return _("A filter is kept, so no phone number can stand in it. Search for the number each time.")
    return ""


@service_page("see", FORM)
def filter_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One's own; an admin also what a colleague shared."""
    user: Any = request.user
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    found = get_object_or_404(
        SavedFilter.objects.filter(Q(user=user) | Q(shared=True)), service=service, pk=pk
    )
    may = found.user_id == user.pk or "configure" in held
    if may and request.method != "POST":
        others = _("Colleagues who use it no longer find it.") if found.shared else _("Only you use it.")
        title = _("Remove the filter “%(name)s”?") % {"name": found.name}
        asked = Confirmation(title, others, button=_("Remove it"))
        page = PAGES[KeptList(found.of)][0] if PAGES[KeptList(found.of)][1] in held else "home"
        return ask(
            request, asked, back=reverse(page, args=[service.slug]), crumb=str(KeptList(found.of).label)
        )
    if not may:
        messages.error(request, _("Only an admin can remove what a colleague shared."))
    else:
        found.delete()
        messages.success(request, _("The filter “%(name)s” is removed.") % {"name": found.name})
    of = KeptList(found.of)
    return _back(of, service, "") if PAGES[of][1] in held else redirect("home", service=service.slug)


@service_page("see", WRITE)
def columns_choose(request: HttpRequest, service: Service) -> HttpResponse:
    of = _list(request)
    if of is None or of not in COLUMNS:
        return redirect("sends", service=service.slug)
    usual = [one.key for one in COLUMNS[of] if one.usual]
    choose_columns(request.user, of, usual if "usual" in request.POST else request.POST.getlist("column"))
    return _back(of, service, address_of(of, text_of(request.POST, "query", most=2000), service))


def _list(request: HttpRequest) -> KeptList | None:
    """The list that a form is about, where the viewer may open it."""
    of, held = request.POST.get("of", ""), request.may  # type: ignore[attr-defined]
    return KeptList(of) if of in KeptList.values and PAGES[KeptList(of)][1] in held else None


def _back(of: KeptList, service: Service, query: str) -> HttpResponse:
    at = reverse(PAGES[of][0], args=[service.slug])
    return redirect(f"{at}?{query}" if query else at)
