"""The placeholders of an order and their sources: which column of the audience fills each, and what stands where a row has nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sms.audiences.files.rows import Rows
from sms.values import text


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


def fallbacks(sources: Sources) -> dict[str, str]:
    """By placeholder, what stands where a row has nothing."""
    return {name: one.fallback for name, one in sources.items() if one.fallback}


def columns(names: Sequence[str], audience: Rows, sources: Sources) -> tuple[dict[str, str], list[str]]:
    """Placeholder → heading of the column that fills it, and the placeholders that no column fills.

    A chosen column comes before the one of the placeholder's own name.
    """
    headings = {
        text.match_key(heading): heading for heading in audience.headings if heading != audience.column
    }
    headings.setdefault(text.match_key(audience.column), audience.column)
    chosen = {text.match_key(name): one.column for name, one in sources.items() if one.column}
    wanted = {name: text.match_key(chosen.get(text.match_key(name), name)) for name in names}
    found = {name: headings[key] for name, key in wanted.items() if key in headings}
    return found, [name for name in names if name not in found]


def missing_sentence(missing: Sequence[str], audience: Rows) -> str:
    """Which placeholders nothing fills, and which columns there are."""
    names = ", ".join(f"$({name})" for name in missing)
    others = [heading for heading in audience.headings if heading != audience.column]
    have = f"The columns are: {', '.join(others)}." if others else "The numbers came without further columns."
    return f"Nothing fills {names}. {have} Add the column, or change the text."
