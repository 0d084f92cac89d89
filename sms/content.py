"""Parts of a composed send: which column fills what, where its sender reaches, its short-link domain, the smartlinks of its text.

Called by `sms.compose`, for `check` and `create` alike.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from sms import senders, text
from sms.audience import Audience, Reject
from sms.models import DomainState, Sender, Service, ShortLinkDomain

_SMARTLINK = re.compile(r"\{\{smartlink_(\d{1,16})\}\}", re.ASCII)


class Addressed(Protocol):
    """A message to be."""

    @property
    def row(self) -> int:
        """Of the audience."""

    @property
    def msisdn(self) -> str:
        """As E.164."""


Line = TypeVar("Line", bound=Addressed)


def reachable(
    sender: Sender | None, lines: Sequence[Line]
) -> tuple[list[Line], list[Reject], tuple[str, ...]]:
    """Lines whose country takes the sender, the others as rejects, and a sentence for each country that may not."""
    if sender is None:
        return list(lines), [], ()
    known: dict[str, str] = {}
    judged: dict[str, senders.Judgement] = {}
    doubtful: Counter[str] = Counter()
    kept: list[Line] = []
    rejects: list[Reject] = []
    for line in lines:
        country = senders.country_of(line.msisdn, known)
        verdict = judged.get(country)
        if verdict is None:
            verdict = judged[country] = senders.judge(sender, country)
        if verdict.level == senders.Level.REFUSED:
            rejects.append(
                Reject(row=line.row, value=line.msisdn, code="sender_refused", reason=verdict.text)
            )
            continue
        if verdict.level == senders.Level.WARNING:
            doubtful[country] += 1
        kept.append(line)
    cautions = tuple(
        f"{count:,} {'message' if count == 1 else 'messages'} to {country}: {judged[country].text}"
        for country, count in doubtful.most_common()
    )
    return kept, rejects, cautions


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


def columns(names: Sequence[str], audience: Audience) -> tuple[dict[str, str], list[str]]:
    """Placeholder → heading of the column that fills it, and the placeholders that no column fills."""
    headings = {
        text.match_key(heading): heading for heading in audience.headings if heading != audience.column
    }
    headings.setdefault(text.match_key(audience.column), audience.column)
    found = {name: headings[text.match_key(name)] for name in names if text.match_key(name) in headings}
    return found, [name for name in names if name not in found]


def missing_sentence(missing: Sequence[str], audience: Audience) -> str:
    """What nothing fills, and which columns there are."""
    holes = ", ".join(f"$({name})" for name in missing)
    others = [heading for heading in audience.headings if heading != audience.column]
    have = f"The columns are: {', '.join(others)}." if others else "The numbers came without further columns."
    return f"Nothing fills {holes}. {have} Add the column, or change the text."
