"""The placeholders of a template: what each takes, and whether a value fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from sms.models import TemplateVersion
from sms.values import text
from sms.words import KeptSentence

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: "dict[str, StrOrPromise]" = {
    "text": _("Text"),
    "number": _("Number"),
    "date": _("Date"),
    "link": _("Link"),
}
LONG = KeptSentence(gettext_noop("$(%(name)s) has %(n)s characters; %(most)s are allowed."))
NO_NUMBER = KeptSentence(gettext_noop("$(%(name)s) takes a number, not “%(value)s”."))
NO_DATE = KeptSentence(
    gettext_noop("$(%(name)s) takes a date like 2026-03-31 or 31.03.2026, not “%(value)s”.")
)
NO_LINK = KeptSentence(gettext_noop("$(%(name)s) takes a link that begins with https://, not “%(value)s”."))
_LINK = re.compile(r"https://[^\s/]+\.[^\s]+|https://localhost\S*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder: the kind of its values, an example, the fallback where a row has none, and how long a value may be (0: any)."""

    name: str
    kind: str = "text"
    example: str = ""
    fallback: str = ""
    max_length: int = 0

    def problem(self, value: str) -> str:
        """Why `value` does not fit, or "". In English, since it is stored with rejected rows."""
        if self.max_length and len(value) > self.max_length:
            return LONG(name=self.name, n=f"{len(value):,}", most=f"{self.max_length:,}")
        if self.kind == "number" and not _is_number(value):
            return NO_NUMBER(name=self.name, value=value[:40])
        if self.kind == "date" and not _is_date(value):
            return NO_DATE(name=self.name, value=value[:40])
        if self.kind == "link" and not _LINK.fullmatch(value):
            return NO_LINK(name=self.name, value=value[:40])
        return ""


def _is_number(value: str) -> bool:
    try:
        return Decimal(value.replace(",", "").replace(" ", "").replace("'", "")).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y"):
        try:
            datetime.strptime(value, pattern)  # noqa: DTZ007 - only whether it is a day
        except ValueError:
            continue
        return True
    try:
        return bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def placeholders_of(version: TemplateVersion) -> list[Placeholder]:
    """The placeholders in the order of the text; of a provider's template as they were listed."""
    noted = {text.match_key(str(one["name"])): one for one in version.placeholders}
    listed = [str(one["name"]) for one in version.placeholders]
    names = text.placeholders(version.text) if version.text else listed
    return [Placeholder(**{**noted.get(text.match_key(name), {}), "name": name}) for name in names]


def placeholders_by_key(version: TemplateVersion | None) -> dict[str, Placeholder]:
    """The placeholders by the form in which names are compared; none without a version."""
    return {text.match_key(one.name): one for one in placeholders_of(version)} if version else {}


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Segments with the longest values that may go in; at least so many where the length of the `open` placeholders is not limited."""

    length: text.TextLength
    open: tuple[str, ...] = ()


def worst_case(written: str, placeholders: Sequence[Placeholder]) -> WorstCase | None:
    """None where the provider holds the text. Where a length is not limited, the longer of example and fallback is taken."""
    if not written:
        return None
    longest = {one.name: _longest(one) for one in placeholders}
    length = text.segments(text.render(written, substitutions=longest))
    return WorstCase(length, tuple(one.name for one in placeholders if not one.max_length))


def _longest(placeholder: Placeholder) -> str:
    known = max(placeholder.example, placeholder.fallback, key=len)
    return (known + "x" * max(0, placeholder.max_length - len(known))) or placeholder.name


def example(written: str, placeholders: Sequence[Placeholder]) -> str:
    """The text with the example of each placeholder, else its fallback, else its name in brackets."""
    values = {one.name: one.example or one.fallback or f"[{one.name}]" for one in placeholders}
    return text.render(written, substitutions=values) if written else ""
