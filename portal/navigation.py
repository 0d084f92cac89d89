"""Where one is and where one can go: the five groups of pages of a service, and the pages of a person's own.

One table for all of them. A page's address decides which entry is marked, so that a page below an entry needs no line here: the entry
with the longest beginning of the address is the current one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.search.shortcuts import SHORTCUTS
from sms.models import Service

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ANY = "any"  # stands for the service where only the rest of an address is wanted


@dataclass(frozen=True, slots=True)
class Page:
    """An entry. `name` is of its address, `act` what that asks of a role; addresses that begin with one of `also` belong to it too."""

    name: str
    label: "StrOrPromise"
    act: str = "see"
    also: tuple[str, ...] = ()
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Pages under one name; a page alone is a section of its own."""

    pages: tuple[Page, ...]
    label: "StrOrPromise" = ""


@dataclass(frozen=True, slots=True)
class Group:
    label: "StrOrPromise"
    icon: str
    sections: tuple[Section, ...]


@dataclass(slots=True)
class Entry:
    """A link. `current` is "page" at this very address, "true" below it, and "" elsewhere."""

    label: "StrOrPromise"
    address: str
    name: str = ""
    icon: str = ""
    current: str = ""
    keys: str = ""
    below: "list[Entry]" = field(default_factory=list)


def _alone(*pages: Page) -> tuple[Section, ...]:
    return tuple(Section((page,)) for page in pages)


HOME = Page("home", gettext_lazy("Home"), also=("settings/pause/", "settings/stop/"), icon="home")
CONFIGURE = "configure"
GROUPS = (
    Group(
        gettext_lazy("Compose"),
        "compose",
        _alone(
            Page("compose", gettext_lazy("New send"), "compose"),
            Page("drafts", gettext_lazy("Drafts"), "compose"),
        ),
    ),
    Group(
        gettext_lazy("Sends"),
        "sends",
        _alone(
            Page("sends", gettext_lazy("All sends"), also=("bulk/", "comments/", "filters/", "columns/")),
            Page("calendar", gettext_lazy("Calendar")),
            Page("recurring", gettext_lazy("Recurring"), also=("standing-approvals/",)),
            Page("approvals", gettext_lazy("Approvals")),
            Page("messages", gettext_lazy("Messages"), also=("handsets/",)),
        ),
    ),
    Group(
        gettext_lazy("People"),
        "people",
        _alone(
            Page("replies", gettext_lazy("Replies"), also=("people/",)),
            Page("audiences", gettext_lazy("Audiences")),
            Page("opt_outs", gettext_lazy("Opt-outs"), also=("inbound/",)),
        ),
    ),
    Group(
        gettext_lazy("Reports"),
        "reports",
        _alone(
            Page("reports", gettext_lazy("Figures")),
            Page("service_levels", gettext_lazy("Service levels")),
            Page("report_files", gettext_lazy("Files"), "export"),
            Page("report_schedules", gettext_lazy("By e-mail"), "export"),
            Page("audit_list", gettext_lazy("Audit"), "audit"),
        ),
    ),
    Group(
        gettext_lazy("Set-up"),
        "settings",
        (
            Section(
                (
                    Page("catalogue", gettext_lazy("Overview")),
                    Page("senders", gettext_lazy("Senders")),
                    Page("templates", gettext_lazy("Templates"), also=("versions/",)),
                    Page("policy_groups", gettext_lazy("Policy groups")),
                    Page("link_domains", gettext_lazy("Short-link domains")),
                    Page("smartlinks", gettext_lazy("Smartlinks")),
                    Page("keywords", gettext_lazy("Keywords")),
                    Page("prices", gettext_lazy("Prices")),
                ),
                gettext_lazy("Catalogue"),
            ),
            Section(
                (
                    Page("settings", gettext_lazy("Webex Connect"), CONFIGURE),
                    Page("going_live", gettext_lazy("Going live"), CONFIGURE),
                    Page("tenant_probe", gettext_lazy("Tenant probe"), CONFIGURE),
                    Page("receipts_page", gettext_lazy("Receipts"), also=("inbound/refused/",)),
                ),
                gettext_lazy("Connection"),
            ),
            Section(
                (
                    Page("settings_limits", gettext_lazy("Limits and hours"), CONFIGURE),
                    Page("settings_caps", gettext_lazy("Spend caps"), CONFIGURE),
                    Page("settings_approval", gettext_lazy("Approval"), CONFIGURE),
                    Page("waiting_changes", gettext_lazy("Waiting changes"), CONFIGURE),
                    Page("settings_retention", gettext_lazy("Retention"), CONFIGURE),
                    Page("personal_data", gettext_lazy("Personal data"), CONFIGURE),
                ),
                gettext_lazy("Rules"),
            ),
            Section(
                (
                    Page("people", gettext_lazy("People"), CONFIGURE, also=("settings/invitations/",)),
                    Page("settings_second_factor", gettext_lazy("Second factor"), CONFIGURE),
                ),
                gettext_lazy("Team"),
            ),
            Section(
                (
                    Page("api_keys", gettext_lazy("API keys"), CONFIGURE),
                    Page("callbacks_page", gettext_lazy("Callbacks"), CONFIGURE, also=("callback-log/",)),
                ),
                gettext_lazy("Programs"),
            ),
        ),
    ),
)
OWN = (
    Page("own_details", gettext_lazy("Your details"), icon="person"),
    Page("account_change_password", gettext_lazy("Password"), icon="key", also=("/accounts/password/",)),
    Page("mfa_index", gettext_lazy("Second factor"), icon="shield"),
    Page("own_notices", gettext_lazy("What you are told"), icon="bell"),
    Page("own_sessions", gettext_lazy("Where you are signed in"), icon="out"),
)
DESK = (
    Page("installation_audit_list", gettext_lazy("Audit of the desk"), icon="shield"),
    Page("desk_second_factor", gettext_lazy("Second factor of the desk"), icon="key"),
    Page("group_roles", gettext_lazy("Single sign-on"), icon="people"),
)


class Navigation:
    """The entries for one viewer on one page. `place` names an entry where the address does not tell which one the page belongs to."""

    def __init__(self, service: Service | None, may: frozenset[str], path: str, place: str = "") -> None:
        before = reverse("home", args=[service.slug]) if service else "/"
        self.path, self.before, self.service = path, before, service
        self.here = path.removeprefix(before) if service and path.startswith(before) else None
        self.place = place or (self._place() if self.here is not None else "")
        self.home = (
            self._entry(HOME)
            if service
            else Entry(gettext_lazy("Home"), "/", current="page" if path == "/" else "")
        )
        self.groups = list(self._groups(may)) if service else []

    @property
    def group(self) -> Entry | None:
        """The one that the page belongs to."""
        return next((one for one in self.groups if one.current), None)

    @property
    def section(self) -> Entry | None:
        """Where the group's entry has several pages: what they are."""
        found = next((one for one in self.group.below if one.current), None) if self.group else None
        return found if found and len(found.below) > 1 else None

    def _place(self) -> str:
        begins = [(start, name) for start, name in _beginnings() if self.here and self.here.startswith(start)]
        return max(begins, key=lambda one: len(one[0]))[1] if begins else "" if self.here else "home"

    def _entry(self, page: Page) -> Entry:
        address = self.before + relative(page.name)
        current = "page" if self.path == address else "true" if self.place == page.name else ""
        return Entry(page.label, address, page.name, page.icon, current, _keys().get(page.name, ""))

    def _groups(self, may: frozenset[str]) -> Iterator[Entry]:
        for group in GROUPS:
            sections = list(self._sections(group, may))
            if sections:
                current = next((one.current for one in sections if one.current), "")
                yield Entry(
                    group.label, sections[0].address, icon=group.icon, current=current, below=sections
                )

    def _sections(self, group: Group, may: frozenset[str]) -> Iterator[Entry]:
        for section in group.sections:
            pages = [self._entry(page) for page in section.pages if page.act in may]
            if pages:
                first, current = pages[0], next((one.current for one in pages if one.current), "")
                label = section.label or first.label
                below = pages if section.label else []
                yield Entry(label, first.address, first.name, current=current, keys=first.keys, below=below)


def alone(pages: tuple[Page, ...], path: str) -> list[Entry]:
    """Entries that belong to no service."""
    entries = []
    for page in pages:
        address = reverse(page.name)
        below = any(path.startswith(one) for one in (address, *page.also))
        current = "page" if path == address else "true" if below else ""
        entries.append(Entry(page.label, address, page.name, page.icon, current))
    return entries


@cache
def relative(name: str) -> str:
    """What follows the service in the address of a page."""
    return reverse(name, args=[ANY]).removeprefix(reverse("home", args=[ANY]))


@cache
def _beginnings() -> tuple[tuple[str, str], ...]:
    """By what an address of a service begins with: the entry that it belongs to."""
    pages = [HOME, *(page for group in GROUPS for section in group.sections for page in section.pages)]
    return tuple((start, page.name) for page in pages for start in (relative(page.name), *page.also) if start)


@cache
def _keys() -> dict[str, str]:
    return {one.page: " ".join(one.keys) for one in SHORTCUTS}
