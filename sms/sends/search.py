"""The list of sends, narrowed down by name, state, label, who made it, and whether it is a test. Read by the page of sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import urlencode

from django.db.models import QuerySet

from sms.compose import labels
from sms.models import Send, SendState, Service

PAGE = 30
TESTS = {"": "Tests too", "without": "Without tests", "only": "Only tests"}


@dataclass(frozen=True, slots=True)
class SendSearch:
    """What an address asks for; empty parts ask for nothing.

    `by` is `user:<id>` or `key:<name of an API key>`,
    `tests` is `only` or `without`."""

    q: str = ""
    state: str = ""
    label: str = ""
    by: str = ""
    tests: str = ""
    before: int = field(default=0, metadata={"page": True})

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "SendSearch":
        """From the query of an address; what is not understood is left out."""
        text = {name: given.get(name, "").replace("\0", "").strip()[:100] for name in ("q", "label", "by")}
        state, tests, before = (given.get(name, "") for name in ("state", "tests", "before"))
        return cls(
            **text,
            state=state if state in SendState.values else "",
            tests=tests if tests in TESTS else "",
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.address)

    @property
    def address(self) -> str:
        """The query again, without the place in the list."""
        parts = {one.name: getattr(self, one.name) for one in fields(self) if not one.metadata}
        return urlencode({name: value for name, value in parts.items() if value})


def listed(service: Service, wanted: SendSearch) -> tuple[list[Send], int]:
    """A page, newest first, and the id that the next one begins below; 0 where this is the last."""
    rows = _narrowed(Send.objects.filter(service=service), wanted)
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    related = rows.select_related("sender", "template", "created_by").prefetch_related("labels")
    page = list(related.order_by("-id")[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else 0


def _narrowed(rows: "QuerySet[Send]", wanted: SendSearch) -> "QuerySet[Send]":
    if wanted.q:
        rows = rows.filter(name__icontains=wanted.q)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.tests:
        rows = rows.filter(test=wanted.tests == "only")
    if wanted.label:
        rows = labels.having(rows, wanted.label)
    kind, _, who = wanted.by.partition(":")
    if kind == "user":
        known = who.isascii() and who.isdecimal() and len(who) < 18
        rows = rows.filter(created_by=int(who)) if known else rows.none()
    elif kind == "key":
        rows = rows.filter(partner=who)
    return rows
