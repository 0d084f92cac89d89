"""The form of a report: its filters with what there is to choose from, and what was chosen, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from portal.presenters import report_addresses
from portal.presenters.report_table import UNNAMED, UNNAMED_IN_SENTENCES
from sms.models import FactProfile
from sms.reports import BY, BY_WORD, NONE, ReportQuery, ReportTable, values_of
from sms.values.country_names import country_here


@dataclass(frozen=True, slots=True)
class DaysChoice:
    """Days that are chosen by one press; `current` where they are what is shown."""

    label: str
    address: str
    current: bool


def usual_days(asked: ReportQuery, today: date, here: str) -> list[DaysChoice]:
    """The rest of the report stays as it is. `here` is the address of reports."""
    month, day = today.replace(day=1), timedelta(days=1)
    spans = {
        _("Today"): (today, today),
        _("Yesterday"): (today - day, today - day),
        _("Last 7 days"): (today - 6 * day, today),
        _("Last 30 days"): (today - 29 * day, today),
        _("This month"): (month, today),
        _("Last month"): ((month - day).replace(day=1), month - day),
        _("This year"): (today.replace(month=1, day=1), today),
    }
    return [
        DaysChoice(
            label,
            f"{here}?{report_addresses.write(asked, **{'from': since.isoformat(), 'until': until.isoformat()})}",
            (asked.since, asked.until) == (since, until),
        )
        for label, (since, until) in spans.items()
        if (until - since).days < report_addresses.most_days(asked.by)
    ]


def choices(report: ReportTable) -> list[dict[str, Any]]:
    """Filters, from what was there; one that has nothing to choose from is left out unless it is in use."""
    chosen = report.asked.filters
    return [
        {
            "name": name,
            "label": BY[name],
            "options": sorted(options.items(), key=_by_label),
            "chosen": chosen.get(name, ""),
        }
        for name, options in _options(report)
        if len(options) > 1 or name in chosen
    ]


def _options(report: ReportTable) -> Iterator[tuple[str, dict[str, str]]]:
    profiles = report.known.profiles.values()
    for name in ("sender", "template", "domain", "policy_group", "person"):
        ids = ((getattr(one, f"{name}_id"), getattr(one, name)) for one in profiles)
        yield name, {str(key or NONE): label or str(UNNAMED[name]) for key, label in ids}
    for name in BY_WORD:
        words = {value for one in profiles for value in values_of(one, name)}
        yield name, {value: str(UNNAMED[name]) if value == NONE else value for value in words}
    for place, name in enumerate(("country", "carrier")):
        words = {pair[place] for pair in report.known.places}
        yield (
            name,
            {
                word or NONE: (country_here(word) if name == "country" else word) or str(UNNAMED[name])
                for word in words
            },
        )


def _by_label(option: tuple[str, str]) -> tuple[bool, str]:
    return option[0] == NONE, option[1].casefold()


def in_words(asked: ReportQuery, profiles: Mapping[int, FactProfile]) -> str:
    """Like `sender SHOP, country United Kingdom`."""
    return ", ".join(
        # Translators: kind is like “sender”, name its name.
        _("%(kind)s %(name)s")
        % {"kind": report_addresses.BY_IN_SENTENCES[name], "name": _name_of(name, value, profiles)}
        for name, value in asked.filters.items()
    )


def _name_of(name: str, value: str, profiles: Mapping[int, FactProfile]) -> str:
    if value == NONE:
        return str(UNNAMED_IN_SENTENCES[name])
    if name == "country":
        return country_here(value)
    if name in (*BY_WORD, "carrier"):
        return value
    found = (getattr(one, name) for one in profiles.values() if str(getattr(one, f"{name}_id")) == value)
    return next(found, value)
