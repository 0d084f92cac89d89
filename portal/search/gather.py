"""What a search finds in a service, for somebody who may do this: each kind of thing is asked once, and few of each are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from urllib.parse import urlencode

from django.db.models import CharField, F, Value
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy, ngettext

from portal.forms.sealed_search import address_of_words
from portal.models import User
from portal.search.page_index import pages_with
from sms.models import Message, MessageState, Send, Service
from sms.sends import by_name
from sms.sends.messages import find_messages
from sms.values.msisdn import BadNumber, mask, parse
from sms.values.msisdn.mention import masked
from sms.values.msisdn.person_key import person_key
from sms.words import moment, number

SHOWN = 5  # of each kind
MOST_NAMED = 400  # rows of the kinds that share one query
SHORTEST = 2  # characters; digits may be fewer
DIGITS_OF_A_NUMBER = 4  # from so many on, digits alone are taken for a number that is not complete
PUNCTUATION = frozenset("+()-./ \u00a0")

KINDS = {  # in the order in which they are shown: heading and picture
    "person": (gettext_lazy("Number"), "person"),
    "message": (gettext_lazy("Messages"), "messages"),
    "send": (gettext_lazy("Sends"), "sends"),
    "page": (gettext_lazy("Pages"), "file"),
    "label": (gettext_lazy("Labels"), "sends"),
    "template": (gettext_lazy("Templates"), "compose"),
    "audience": (gettext_lazy("Audiences"), "audiences"),
    "draft": (gettext_lazy("Drafts"), "compose"),
    "colleague": (gettext_lazy("People of the team"), "people"),
}
PAGES = {"template": "templates", "audience": "audiences", "draft": "drafts", "colleague": "people"}


@dataclass(frozen=True, slots=True)
class FoundThing:
    """One result: numbers of people are hidden in both texts."""

    title: str
    address: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """Results of one kind; `note` says what was not looked at, `more` leads to the rest of them."""

    title: str
    icon: str
    things: list[FoundThing]
    note: str = ""
    more: FoundThing | None = None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """`says` is a sentence where nothing was looked for, or where the text could be a number and is none."""

    groups: list[FoundGroup]
    says: str = ""

    @property
    def nothing(self) -> str:
        return gettext(
            "Each word must be part of a name. Of sends, the newest %(count)s are looked at; older ones are found by their "
            "number. Phone numbers and IDs must be whole."
        ) % {"count": number(by_name.NEWEST_SENDS)}

    @property
    def count(self) -> int:
        return sum(len(group.things) for group in self.groups)


def search(service: Service, text: str, *, may: frozenset[str]) -> SearchAnswer:
    wanted = " ".join(text.split())
    if len(wanted) < SHORTEST and not wanted.isdecimal():
        says = gettext("Type at least %(count)s characters.") % {"count": number(SHORTEST)}
        return SearchAnswer([], says if wanted else "")
    phone, says = _number(service, wanted)
    groups = [_number_group(service, phone)] if phone else []
    one_word = " " not in wanted
    if phone or one_word:
        groups.append(_messages(service, phone or wanted))
    groups.append(_sends(service, wanted, called=one_word, named=not phone))
    groups.append(_pages(service, wanted, may))
    if not phone:
        groups += _named(service, wanted, may)
    return SearchAnswer([group for group in groups if group.things], says)


def _number(service: Service, wanted: str) -> tuple[str, str]:
    """E.164, or why this is none, where it could have been meant as one."""
    try:
        return parse(wanted, country=service.default_country).e164, ""
    except BadNumber as problem:
        digits = [char for char in wanted if char not in PUNCTUATION]
        is_meant = len(digits) >= DIGITS_OF_A_NUMBER and all(char.isdecimal() for char in digits)
        says = gettext("As a phone number this is not complete or not right: %(problem)s")
        return "", says % {"problem": problem} if is_meant else ""


def _number_group(service: Service, phone: str) -> FoundGroup:
    page = reverse("person_page", args=[service.slug, person_key(phone, key=service.number_key)])
    return _group("person", [FoundThing(mask(phone), page, gettext("Everything to and from this number"))])


def _all_messages(service: Service, text: str) -> str:
    return address_of_words(reverse("messages", args=[service.slug]), text, service)


def _messages(service: Service, wanted: str) -> FoundGroup:
    found = find_messages(service, wanted, page=SHOWN)
    things = [_message(service, one) for one in found.messages[:SHOWN]]
    problem = gettext("Archived messages could not be searched.")
    note = " ".join((problem, found.problem)) if found.problem else ""
    more = FoundThing(gettext("All of these messages"), _all_messages(service, wanted))
    return _group("message", things, note=note, more=more if len(found.messages) > SHOWN else None)


def _message(service: Service, one: Message) -> FoundThing:
    state = MessageState(one.state).label
    address = reverse("message", args=[service.slug, one.pk])
    return FoundThing(mask(one.msisdn), address, f"{state} · {masked(one.send.name)}")


def _sends(service: Service, wanted: str, *, called: bool, named: bool) -> FoundGroup:
    """By its number or its whole name at a partner first."""
    found: dict[int, Send] = {}
    if called:
        found |= {one.pk: one for one in by_name.sends_called(service, wanted, most=SHOWN)}
    if named:
        for one in by_name.sends_named(service, wanted, most=SHOWN + 1):
            found.setdefault(one.pk, one)
    note = gettext("Of sends, the names of the newest %(count)s were looked at.")
    note = note % {"count": number(by_name.NEWEST_SENDS)} if named else ""
    all_of_them = FoundThing(gettext("All sends"), reverse("sends", args=[service.slug]))
    more = all_of_them if len(found) > SHOWN else None
    return _group("send", [_send(service, one) for one in list(found.values())[:SHOWN]], note=note, more=more)


def _send(service: Service, one: Send) -> FoundThing:
    # Translators: “Send 12 · Done · 3 Dec 2026”; a number of a send, its state and its day.
    detail = gettext("Send %(number)s · %(state)s · %(day)s") % {
        "number": one.pk,
        "state": one.shown_state.label,
        "day": moment(localtime(one.created_at), "j M Y"),
    }
    return FoundThing(masked(one.name), reverse("send", args=[service.slug, one.pk]), detail)


def _pages(service: Service, wanted: str, may: frozenset[str]) -> FoundGroup:
    found = pages_with(wanted, may=may, sandbox=service.is_sandbox)
    note = gettext("%(count)s pages fit; the first %(shown)s are shown. Write more to see others.")
    note %= {"count": number(len(found)), "shown": number(SHOWN)}
    things = [FoundThing(str(page.title), page.address(service)) for page in found[:SHOWN]]
    return _group("page", things, note=note if len(found) > SHOWN else "")


def _named(service: Service, wanted: str, may: frozenset[str]) -> Iterator[FoundGroup]:
    """Of the kinds that are few, and share a query: those that this person may open."""
    kinds = by_name.named_things(service, wanted)
    if "compose" not in may:
        kinds = kinds[:-1]
    if "configure" in may:
        here = User.objects.filter(memberships__service=service).distinct()
        whole = Concat("email", Value(" "), "first_name", Value(" "), "last_name", output_field=CharField())
        people = here.annotate(whole=whole).filter(by_name.words_in(wanted, "whole"))
        kinds.append(by_name.named(people.annotate(named=F("email")), "colleague", "email"))
    rows = kinds[0].union(*kinds[1:], all=True).order_by("kind", "over", "title")[:MOST_NAMED]
    found = {kind: list(some) for kind, some in groupby(rows, key=itemgetter(0))}
    for kind in KINDS:
        if kind in found:
            yield _named_group(service, kind, found[kind])


def _named_group(service: Service, kind: str, rows: list[tuple[str, int, str, str, bool]]) -> FoundGroup:
    things = [
        FoundThing(
            masked(title),
            _address(service, kind, key, title),
            " · ".join(filter(None, (gettext("Archived") if over else "", masked(detail)[:80]))),
        )
        for _, key, title, detail, over in rows[:SHOWN]
    ]
    page, rest = PAGES.get(kind, ""), len(rows) - SHOWN
    more = None
    if page and rest > 0:
        says = ngettext("%(n)s more", "%(n)s more", rest) % {"n": number(rest)}
        more = FoundThing(says, reverse(page, args=[service.slug]))
    return _group(kind, things, more=more)


def _group(
    kind: str, things: list[FoundThing], *, note: str = "", more: FoundThing | None = None
) -> FoundGroup:
    heading, icon = KINDS[kind]
    return FoundGroup(str(heading), icon, things, note, more)


def _address(service: Service, kind: str, key: int, title: str) -> str:
    if kind == "label":
        return f"{reverse('sends', args=[service.slug])}?{urlencode({'label': title})}"
    page = {"colleague": "person"}.get(kind, kind)
    return reverse(page, args=[service.slug, key])
