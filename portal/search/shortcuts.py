"""Keyboard shortcuts that lead to a page of a service, for the list under `?`. The navigation has the same keys (`templates/base.html`)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy

from sms.models import Service

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys that are pressed one after the other, and the page they open; `act` is what that asks of a role."""

    keys: tuple[str, ...]
    title: "StrOrPromise"
    page: str
    act: str = "see"
    address: str = ""


SHORTCUTS = (
    Shortcut(("c",), gettext_lazy("Compose"), "compose", "compose"),
    Shortcut(("g", "h"), gettext_lazy("Home"), "home"),
    Shortcut(("g", "s"), gettext_lazy("Sends"), "sends"),
    Shortcut(("g", "a"), gettext_lazy("Approvals"), "approvals"),
    Shortcut(("g", "m"), gettext_lazy("Messages"), "messages"),
    Shortcut(("g", "r"), gettext_lazy("Replies"), "replies"),
    Shortcut(("g", "l"), gettext_lazy("Audiences"), "audiences"),
    Shortcut(("g", "o"), gettext_lazy("Opt-outs"), "opt_outs"),
)


def shortcuts_of(service: Service, *, may: frozenset[str]) -> Iterator[Shortcut]:
    for one in SHORTCUTS:
        if one.act in may:
            yield replace(one, address=reverse(one.page, args=[service.slug]))
