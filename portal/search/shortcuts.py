"""Keyboard shortcuts that lead to a page of a service, for the list under `?`. The navigation has the same keys (`templates/base.html`)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.urls import reverse

from sms.models import Service


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys that are pressed one after the other, and the page they open; `act` is what that asks of a role."""

    keys: tuple[str, ...]
    title: str
    page: str
    act: str = "see"
    address: str = ""


SHORTCUTS = (
    Shortcut(("c",), "Compose", "compose", "compose"),
    Shortcut(("g", "h"), "Home", "home"),
    Shortcut(("g", "s"), "Sends", "sends"),
    Shortcut(("g", "a"), "Approvals", "approvals"),
    Shortcut(("g", "m"), "Messages", "messages"),
    Shortcut(("g", "r"), "Replies", "replies"),
    Shortcut(("g", "l"), "Audiences", "audiences"),
    Shortcut(("g", "o"), "Opt-outs", "opt_outs"),
)


def shortcuts_of(service: Service, *, may: frozenset[str]) -> Iterator[Shortcut]:
    for one in SHORTCUTS:
        if one.act in may:
            yield replace(one, address=reverse(one.page, args=[service.slug]))
