"""The form of a report: its filters with what there is to choose from, and what was chosen, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.presenters.report_cells import UNNAMED
from sms.models import FactProfile
from sms.reports import BY, BY_WORD, NONE, ReportQuery, ReportTable, values_of


@dataclass(frozen=True, slots=True)
class SelectField:
    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str


def choices(report: ReportTable) -> list[SelectField]:
    """Filters, from what was there; one that has nothing to choose from is left out unless it is in use."""
    asked, profiles = report.asked, report.known.profiles.values()
    ids = {
        "sender": "sender_id",
        "template": "template_id",
        "domain": "domain_id",
        "policy_group": "policy_group_id",
        "person": "person_id",
    }
    found = []
    for name, column in ids.items():
        options = {str(getattr(one, column) or NONE): getattr(one, name) or UNNAMED[name] for one in profiles}
        found.append(
            SelectField(name, BY[name], sorted(options.items(), key=_by_label), asked.filters.get(name, ""))
        )
    for name in BY_WORD:
        words = {
            value: UNNAMED[name] if value == NONE else value
            for one in profiles
            for value in values_of(one, name)
        }
        found.append(
            SelectField(name, BY[name], sorted(words.items(), key=_by_label), asked.filters.get(name, ""))
        )
    for place, name in enumerate(("country", "carrier")):
        values = {pair[place] or NONE: pair[place] or UNNAMED[name] for pair in report.known.places}
        found.append(
            SelectField(name, BY[name], sorted(values.items(), key=_by_label), asked.filters.get(name, ""))
        )
    return [choice for choice in found if len(choice.options) > 1 or choice.chosen]


def _by_label(option: tuple[str, str]) -> tuple[bool, str]:
    return option[0] == NONE, option[1].casefold()


def in_words(asked: ReportQuery, profiles: Mapping[int, FactProfile]) -> str:
    """Like `sender SHOP, country GB`."""
    return ", ".join(
        f"{BY[name].lower()} {_name_of(name, value, profiles)}" for name, value in asked.filters.items()
    )


def _name_of(name: str, value: str, profiles: Mapping[int, FactProfile]) -> str:
    if value == NONE:
        return UNNAMED[name].lower()
    if name in (*BY_WORD, "country", "carrier"):
        return value
    found = (getattr(one, name) for one in profiles.values() if str(getattr(one, f"{name}_id")) == value)
    return next(found, value)
