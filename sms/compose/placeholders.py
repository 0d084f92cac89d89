"""Parts of a composed send: which column fills what, where its sender reaches, its short-link domain, the smartlinks of its text.

Called by `sms.compose`, for `check` and `create` alike.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sms.audiences.files.rows import Rows
from sms.catalogue import senders
from sms.models import DomainState, Sender, Service, ShortLinkDomain
from sms.values import text

_SMARTLINK = re.compile(r"\{\{smartlink_(\d{1,16})\}\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlaceholderSource:
    """What fills a placeholder: the column of this heading instead of the one of its name, and the fallback where a row has nothing."""

    column: str = ""
    fallback: str = ""


def sources_from_json(stored: Mapping[str, Mapping[str, str]]) -> dict[str, PlaceholderSource]:
    """From JSON, as a draft keeps them: `{"name": {"column": "Customer", "fallback": "friend"}}`."""
    return {
        str(name): PlaceholderSource(str(one.get("column", "")), str(one.get("fallback", "")))
        for name, one in stored.items()
    }


def fallbacks(fillings: Mapping[str, PlaceholderSource]) -> dict[str, str]:
    """Placeholder → what stands where a row has nothing."""
    return {name: one.fallback for name, one in fillings.items() if one.fallback}


class Reach:
    """Whom a sender reaches. Without a sender, or for a partner, whose codes answer for that, everybody."""

    def __init__(self, sender: Sender | None) -> None:
        self._sender = sender
        self._known: dict[str, str] = {}
        self._judged: dict[str, str] = {}

    def refusal(self, msisdn: str) -> str:
        """Why it does not arrive there, with the way out; empty where it does, or may."""
        if self._sender is None:
            return ""
        country = senders.country_of(msisdn, self._known)
        if country not in self._judged:
            verdict = senders.judge(self._sender, country)
            self._judged[country] = verdict.text if verdict.level == senders.SenderFit.REFUSED else ""
        return self._judged[country]


def reach_cautions(sender: Sender | None, countries: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for each country that may not take the sender, by how many messages go there."""
    if sender is None:
        return ()
    judged = {country: senders.judge(sender, country) for country in countries}
    return tuple(
        f"{count:,} {'message' if count == 1 else 'messages'} to {country}: {judged[country].text}"
        for country, count in sorted(countries.items(), key=lambda one: (-one[1], one[0]))
        if judged[country].level == senders.SenderFit.WARNING
    )


def leads_nowhere(domain: ShortLinkDomain) -> str:
    """Why links on this domain would fail, with the way out; empty where they work, or nobody has looked."""
    if domain.state not in (DomainState.BROKEN, DomainState.NOT_SET_UP):
        return ""
    return (
        f"{domain} is {domain.get_state_display().lower()}. {domain.says} "
        "Choose another domain, leave links as they are, or have an admin mend it and press Check now."
    )


def doubts(domain: ShortLinkDomain | None) -> tuple[str, ...]:
    """What to know of a domain that works, or may."""
    if domain is None or domain.state not in (DomainState.DEGRADED, DomainState.PENDING):
        return ()
    return (f"{domain} is {domain.get_state_display().lower()}: {domain.says}",)


def smartlinks(service: Service, written: str) -> tuple[list[list[int]], list[str]]:
    """[id, minutes] of every smartlink in a text, and a sentence for each that the catalogue does not offer."""
    wanted = list(dict.fromkeys(int(one) for one in _SMARTLINK.findall(written)))
    if not wanted:
        return [], []
    listed = dict(
        service.smartlinks.filter(smartlink_id__in=wanted, active=True).values_list(
            "smartlink_id", "validity"
        )
    )
    missing = [
        f"The text uses {{{{smartlink_{one}}}}}, which is no smartlink of the catalogue that can be used. "
        "Have an admin add it, or take it out."
        for one in wanted
        if one not in listed
    ]
    return [[one, listed[one]] for one in wanted if one in listed], missing


def columns(
    names: Sequence[str], audience: Rows, fillings: Mapping[str, PlaceholderSource] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Placeholder → heading of the column that fills it, and the placeholders that no column fills.

    A column that somebody chose comes before the one of the placeholder's own name.
    """
    headings = {
        text.match_key(heading): heading for heading in audience.headings if heading != audience.column
    }
    headings.setdefault(text.match_key(audience.column), audience.column)
    chosen = {text.match_key(name): one.column for name, one in (fillings or {}).items() if one.column}
    wanted = {name: text.match_key(chosen.get(text.match_key(name), name)) for name in names}
    found = {name: headings[key] for name, key in wanted.items() if key in headings}
    return found, [name for name in names if name not in found]


def missing_sentence(missing: Sequence[str], audience: Rows) -> str:
    """What nothing fills, and which columns there are."""
    holes = ", ".join(f"$({name})" for name in missing)
    others = [heading for heading in audience.headings if heading != audience.column]
    have = f"The columns are: {', '.join(others)}." if others else "The numbers came without further columns."
    return f"Nothing fills {holes}. {have} Add the column, or change the text."
