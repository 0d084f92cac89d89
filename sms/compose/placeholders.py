"""The placeholders of an order and what fills each: a column of the audience, and the fallback where a row has nothing.

Names of placeholders, columns and sources are the same where `text.match_key` says so: case and spaces are forgiven everywhere.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.files import Recipient
from sms.audiences.files.choices import INCLUDE
from sms.audiences.files.rows import Rows
from sms.catalogue.placeholder_rules import Placeholder, placeholders_of
from sms.models import MessageTemplate, TemplateVersion
from sms.values import text
from sms.webex.limits import PLACEHOLDER, SMARTLINK
from sms.words import KeptSentence

# what fills nothing, then the columns that there are, then the way out
ADD_THE_COLUMN = {
    True: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The columns are: %(columns)s. Add the column, or change the text."
        )
    ),
    False: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The numbers came without further columns. Add the column, or change the text."
        )
    ),
}
ONE_IS_HIDDEN = {
    True: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The columns are: %(columns)s. %(hidden)s is hidden in the file: "
            "include its hidden columns, or change the text."
        )
    ),
    False: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The numbers came without further columns. %(hidden)s is hidden in the file: "
            "include its hidden columns, or change the text."
        )
    ),
}
SEVERAL_ARE_HIDDEN = {
    True: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The columns are: %(columns)s. %(hidden)s are hidden in the file: "
            "include its hidden columns, or change the text."
        )
    ),
    False: KeptSentence(
        gettext_noop(
            "Nothing fills %(names)s. The numbers came without further columns. %(hidden)s are hidden in the file: "
            "include its hidden columns, or change the text."
        )
    ),
}
ZONE_KEYS = tuple(map(text.match_key, ("timezone", "zone", "tz")))
# how far a name goes is not documented, so the shortest that could be one counts, too
_UP_TO_A_BRACKET = re.compile(r"\$\([^)\r\n]{1,200}\)")
CORRELATION_KEY = text.match_key("correlation id")
# of the sender's own name of each recipient; the second may be a placeholder's column as well
REFERENCE_KEYS = tuple(map(text.match_key, ("recipient reference", "reference")))


@dataclass(frozen=True, slots=True)
class PlaceholderSource:
    """What fills a placeholder: the column of this heading instead of the one of its name, and the fallback where a row has nothing."""

    column: str = ""
    fallback: str = ""


Sources = Mapping[str, PlaceholderSource]


def sources_from_json(stored: Mapping[str, Mapping[str, str]]) -> dict[str, PlaceholderSource]:
    """As a draft keeps them: `{"name": {"column": "Customer", "fallback": "friend"}}`."""
    return {
        str(name): PlaceholderSource(str(one.get("column", "")), str(one.get("fallback", "")))
        for name, one in stored.items()
    }


@dataclass(frozen=True, slots=True)
class ResolvedPlaceholder:
    """A placeholder with what fills it. `rule` is its template's; `chosen` is what was asked for, where that differs from its own name."""

    rule: Placeholder
    heading: str  # of its column; "" for none
    is_number: bool  # the column is that of the numbers
    fallback: str
    chosen: PlaceholderSource = PlaceholderSource()

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def is_filled(self) -> bool:
        return bool(self.heading or self.fallback)

    def value(self, row: Recipient) -> str:
        """Empty where the row has nothing and there is no fallback."""
        found = (row.msisdn if self.is_number else row.substitutions.get(self.heading, "")) or self.fallback
        return text.line_breaks(found)


@dataclass(frozen=True, slots=True)
class UsedColumns:
    """What the columns of an audience are for. Headings are empty where there is no such column."""

    placeholders: tuple[ResolvedPlaceholder, ...]
    zone_heading: str  # of each recipient's time zone
    correlation_heading: str  # of the sender's own name of each message
    reference_heading: str  # of the sender's own name of each recipient


def used_columns(
    source: TemplateVersion | MessageTemplate | None, written: str, audience: Rows, sources: Sources
) -> UsedColumns:
    """Placeholders are those of a text, or of the template that it comes from. A chosen column comes before the one of the
    placeholder's own name, a chosen fallback before the template's."""
    rules = _rules(source, written)
    # the column of the numbers gives way to another of the same name
    headings = {text.match_key(audience.column): audience.column}
    headings |= {text.match_key(one): one for one in audience.headings if one != audience.column}
    columns = {text.match_key(name): one.column for name, one in sources.items() if one.column}
    fallbacks = {text.match_key(name): one.fallback for name, one in sources.items() if one.fallback}
    found = []
    for rule in rules:
        key = text.match_key(rule.name)
        chosen = PlaceholderSource(columns.get(key, ""), fallbacks.get(key, ""))
        heading = headings.get(text.match_key(chosen.column) if chosen.column else key, "")
        is_number = bool(heading) and heading == audience.column
        found.append(ResolvedPlaceholder(rule, heading, is_number, chosen.fallback or rule.fallback, chosen))
    zone = next((headings[key] for key in ZONE_KEYS if key in headings), "")
    reference = next((headings[key] for key in REFERENCE_KEYS if key in headings), "")
    return UsedColumns(tuple(found), zone, headings.get(CORRELATION_KEY, ""), reference)


def _rules(source: TemplateVersion | MessageTemplate | None, written: str) -> list[Placeholder]:
    if isinstance(source, TemplateVersion):
        return placeholders_of(source)
    if source is not None and not written:  # of a template that only the provider has, as they were listed
        return [Placeholder(name) for one in source.provider_placeholders.split(",") if (name := one.strip())]
    return [Placeholder(name) for name in text.placeholders(written)]


def left_over(rendered: str, written: str) -> str:
    """What a row's values made of the text that the provider would take for a placeholder or a smartlink; empty for nothing."""
    if "$(" in rendered:
        if names := text.placeholders(rendered):
            return f"$({names[0]})"
        if found := PLACEHOLDER.search(rendered) or _UP_TO_A_BRACKET.search(rendered):
            return found[0]
    if "{{" in rendered and (links := set(SMARTLINK.findall(rendered)) - set(SMARTLINK.findall(written))):
        return f"{{{{smartlink_{min(links)}}}}}"
    return ""


def missing_sentence(missing: Sequence[str], audience: Rows) -> str:
    """Which placeholders nothing fills, and which columns there are."""
    names = ", ".join(f"$({name})" for name in missing)
    others = [heading for heading in audience.headings if heading != audience.column]
    found = audience.findings
    keys = {text.match_key(name) for name in missing}
    left = [] if found is None or found.columns_choice == INCLUDE else found.hidden_columns
    hidden = [name for name in left if text.match_key(name) in keys]
    kept = SEVERAL_ARE_HIDDEN if len(hidden) > 1 else ONE_IS_HIDDEN if hidden else ADD_THE_COLUMN
    quoted = ", ".join(_("“%(name)s”") % {"name": name} for name in hidden)
    return _(kept[bool(others)].text) % {"names": names, "columns": ", ".join(others), "hidden": quoted}
