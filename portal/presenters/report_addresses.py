"""Addresses of reports: what a report asks for, read from an address and written back into one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from sms.models import Service
from sms.reports import BY, BY_WORD, COMPARE, NONE, ReportQuery
from sms.reports.query import FILTERS, OF_PROFILE

LONGEST = 731  # days: two years
LONGEST_BY_HOUR = 31
USUAL, USUAL_BY_HOUR = 30, 2
# in a sentence: “a report by hour”, “there is no sender of this name”
BY_IN_SENTENCES = {
    "day": pgettext_lazy("report by", "day"),
    "hour": pgettext_lazy("report by", "hour"),
    "send": pgettext_lazy("report by", "send"),
    "sender": pgettext_lazy("report by", "sender"),
    "template": pgettext_lazy("report by", "template"),
    "domain": pgettext_lazy("report by", "link domain"),
    "policy_group": pgettext_lazy("report by", "policy group"),
    "label": pgettext_lazy("report by", "label"),
    "country": pgettext_lazy("report by", "country"),
    "carrier": pgettext_lazy("report by", "carrier"),
    "code": pgettext_lazy("report by", "failure code"),
    "person": pgettext_lazy("report by", "person"),
    "partner": pgettext_lazy("report by", "partner"),
    "test": pgettext_lazy("report by", "test"),
}
BY_ID = tuple(name for name in OF_PROFILE if name not in BY_WORD)


def write(query: ReportQuery, **changes: str) -> str:
    """The query string, with other values where given; an empty one leaves out."""
    values = query.parameters | changes
    return urlencode({name: value for name, value in values.items() if value})


def read(service: Service, given: Mapping[str, str], *, now: datetime) -> tuple[ReportQuery, Sequence[str]]:
    """The report that an address asks for, and a sentence for each part of it that was not understood and left out."""
    wrong, zone = list[str](), service.facts_clock
    by = given.get("by") or "day"
    if by not in BY:
        wrong.append(_("There is no report by “%(by)s”. It shows days instead.") % {"by": by[:40]})
        by = "day"
    since, until = _days(given, by, now.astimezone(ZoneInfo(zone)).date(), wrong)
    compare = given.get("compare", "")
    if compare not in COMPARE:
        wrong.append(_("Compare with “before” or “year”."))
        compare = ""
    return ReportQuery(service.pk, zone, since, until, by, _filters(given, wrong), compare), wrong


def most_days(by: str) -> int:
    return LONGEST_BY_HOUR if by == "hour" else LONGEST


def _days(given: Mapping[str, str], by: str, today: date, wrong: list[str]) -> tuple[date, date]:
    until = _date(given.get("until", ""), "until", wrong) or today
    usual = USUAL_BY_HOUR if by == "hour" else USUAL
    since = _date(given.get("from", ""), "from", wrong) or until - timedelta(days=usual - 1)
    if since > until:
        wrong.append(_("The first day comes after the last; they were swapped."))
        since, until = until, since
    most = most_days(by)
    if (until - since).days >= most:
        # Translators: by is like “hour” or “country”.
        says = _("A report by %(by)s takes %(most)s days at most; it shows the last of them.")
        wrong.append(says % {"by": BY_IN_SENTENCES[by], "most": most})
        since = until - timedelta(days=most - 1)
    return since, until


def _filters(given: Mapping[str, str], wrong: list[str]) -> dict[str, str]:
    filters = {}
    for name in FILTERS:
        value = given.get(name, "")[:120].replace("\0", "")
        is_id = value.isascii() and value.isdecimal() and len(value) < 18
        if name in BY_ID and value and value != NONE and not is_id:
            # Translators: kind is like “sender” or “template”.
            says = _("There is no %(kind)s “%(name)s”.")
            wrong.append(says % {"kind": BY_IN_SENTENCES[name], "name": value[:40]})
        elif value:
            filters[name] = value
    return filters


def _date(text: str, name: str, wrong: list[str]) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2200:
        says = _("“%(name)s” is no date like 2026-03-02 and was left out.")
        wrong.append(says % {"name": name})
        return None
    return found
