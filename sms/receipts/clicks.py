"""Who clicked: a person, a machine, or nobody can say. Pure: the clicks of one message in, one verdict for each out.

A message's clicks are judged together, because neighbours are evidence, and again whenever one more is known, because a later click
can change what an earlier one was. The verdicts depend on what is known and not on the order in which it came. What each reason means
to a reader is in `docs/clicks.md`; whoever changes a rule or a list raises `RULES`, and `manage.py judge_clicks` re-judges the past.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sms.receipts.click_addresses import Network, network_of
from sms.receipts.click_agents import Agent, agent_of

RULES = 1  # version of everything that decides, lists included

# seconds
TOGETHER = 1.0  # two links opened within it: no thumb does that
CROWD = 2.0  # several addresses within it
BURST = 10.0  # many visits of one visitor within it
AFTER_POSTING = 3.0  # nobody has received, read and touched before that
AFTER_DELIVERY = 1.0
HASTY = 3.0  # after delivery, possible for a quick thumb
EARLY = 10.0  # after posting: too early to blame a late delivery receipt
AT_A_DESK = 30.0  # after delivery: a person at a computer takes longer, a scanner does not

ADDRESSES_OF_A_CROWD = 3
VISITS_OF_A_BURST = 5


class Kind(StrEnum):
    """Who clicked."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"


class Reason(StrEnum):
    """The rule that decided. Stored, so a code is never given another meaning."""

    # machine, by what it says of itself
    AGENT_PREVIEW = "agent_preview"
    AGENT_CRAWLER = "agent_crawler"
    AGENT_SCANNER = "agent_scanner"
    AGENT_HEADLESS = "agent_headless"
    AGENT_TOOL = "agent_tool"
    AGENT_APP = "agent_app"
    AGENT_OUTDATED = "agent_outdated"
    AGENT_BARE = "agent_bare"
    # machine, by where it comes from
    ADDRESS_SCANNER = "address_scanner"
    ADDRESS_CRAWLER = "address_crawler"
    ADDRESS_HOSTING = "address_hosting"  # unsure where it looks like a phone: people use VPNs
    # machine, by what it does
    LINKS_TOGETHER = "links_together"
    CROWD = "crowd"
    REPEATS = "repeats"
    SAME_VISITOR = "same_visitor"
    TOO_SOON = "too_soon"
    BEFORE_DELIVERY = "before_delivery"  # unsure where it looks like a phone
    # unsure
    AGENT_MISSING = "agent_missing"
    AGENT_INCOMPLETE = "agent_incomplete"
    AGENT_UNKNOWN = "agent_unknown"
    DOUBLE = "double"
    HASTY = "hasty"
    DESK_EARLY = "desk_early"
    # human
    PHONE = "phone"
    BROWSER = "browser"


_IN_WORDS: Mapping[str, str] = {
    Reason.AGENT_PREVIEW: "a link previewer by its name",
    Reason.AGENT_CRAWLER: "a crawler by its name",
    Reason.AGENT_SCANNER: "a security scanner by its name",
    Reason.AGENT_HEADLESS: "a browser run by a program",
    Reason.AGENT_TOOL: "a tool by its name",
    Reason.AGENT_APP: "fetched by an app, not by a browser",
    Reason.AGENT_OUTDATED: "a browser that has been gone for years",
    Reason.AGENT_BARE: "no browser behind the user agent",
    Reason.ADDRESS_SCANNER: "from a link security service",
    Reason.ADDRESS_CRAWLER: "from a search engine or social network",
    Reason.ADDRESS_HOSTING: "from a hosting company",
    Reason.LINKS_TOGETHER: "two links within a second",
    Reason.CROWD: "several addresses at once",
    Reason.REPEATS: "many visits within seconds",
    Reason.SAME_VISITOR: "the visitor of other machine clicks",
    Reason.TOO_SOON: "too soon for a person",
    Reason.BEFORE_DELIVERY: "earlier than the delivery",
    Reason.AGENT_MISSING: "no user agent told",
    Reason.AGENT_INCOMPLETE: "half a user agent told",
    Reason.AGENT_UNKNOWN: "an unknown user agent",
    Reason.DOUBLE: "the same visit twice within a second",
    Reason.HASTY: "very soon after delivery",
    Reason.DESK_EARLY: "a computer, soon after delivery",
    Reason.PHONE: "looks like a person's phone",
    Reason.BROWSER: "looks like a person's browser",
}


def reason_in_words(code: str) -> str:
    """A stored reason for people; also for codes of older rules and for clicks not judged yet."""
    return _IN_WORDS.get(code) or code.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Visit:
    """One click as it was told: texts are "" where nothing was said."""

    at: datetime
    url: str
    ip: str
    agent: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who clicked, the rule that decided, and the version of the rules."""

    kind: Kind
    reason: Reason
    rules_version: int = RULES


_BY_AGENT = {
    Agent.PREVIEW: Reason.AGENT_PREVIEW,
    Agent.CRAWLER: Reason.AGENT_CRAWLER,
    Agent.SCANNER: Reason.AGENT_SCANNER,
    Agent.HEADLESS: Reason.AGENT_HEADLESS,
    Agent.TOOL: Reason.AGENT_TOOL,
    Agent.APP: Reason.AGENT_APP,
    Agent.OUTDATED: Reason.AGENT_OUTDATED,
    Agent.BARE: Reason.AGENT_BARE,
}
_VAGUE = {
    Agent.MISSING: Reason.AGENT_MISSING,
    Agent.INCOMPLETE: Reason.AGENT_INCOMPLETE,
    Agent.UNKNOWN: Reason.AGENT_UNKNOWN,
}
_BY_NETWORK = {Network.SCANNER: Reason.ADDRESS_SCANNER, Network.CRAWLER: Reason.ADDRESS_CRAWLER}


def judge(
    visits: Sequence[Visit], *, posted_at: datetime | None = None, delivered_at: datetime | None = None
) -> list[Verdict]:
    """One verdict for each visit of one message, in the order given. Never raises, whatever the texts hold.

    `posted_at`: when we gave the message to the provider; `delivered_at`: the time of its earliest Delivered receipt. Both None
    where not known. All times must be aware, or all naive.
    """
    order = sorted(range(len(visits)), key=lambda index: _sorting(visits[index]))
    found = _judge_in_order([visits[index] for index in order], posted_at, delivered_at)
    verdicts = dict(zip(order, found, strict=True))
    return [verdicts[index] for index in range(len(visits))]


def _sorting(visit: Visit) -> tuple[datetime, str, str, str]:
    """A total order by content, so that the order of arrival cannot matter."""
    return visit.at, visit.url, visit.ip, visit.agent


def _judge_in_order(
    visits: list[Visit], posted_at: datetime | None, delivered_at: datetime | None
) -> list[Verdict]:
    if len(visits) == 1:  # most messages
        return [_judge_one(visits[0], None, posted_at, delivered_at, double=False)]
    behaviour = _behaviour(visits)
    last: dict[tuple[str, str, str], datetime] = {}
    found = []
    for index, visit in enumerate(visits):
        same = (visit.ip, visit.agent, visit.url)
        before = last.get(same)
        double = before is not None and (visit.at - before).total_seconds() <= TOGETHER
        last[same] = visit.at
        found.append(_judge_one(visit, behaviour.get(index), posted_at, delivered_at, double=double))
    return found


def _judge_one(
    visit: Visit,
    behaviour: Reason | None,
    posted_at: datetime | None,
    delivered_at: datetime | None,
    *,
    double: bool,
) -> Verdict:
    agent, network = agent_of(visit.agent), network_of(visit.ip)
    certain = _BY_AGENT.get(agent) or _BY_NETWORK.get(network) or behaviour
    if certain is not None:
        return Verdict(Kind.MACHINE, certain)
    posted, delivered = _since(visit.at, posted_at), _since(visit.at, delivered_at)
    phone = agent is Agent.PHONE
    if (posted is not None and 0 <= posted < AFTER_POSTING) or (
        delivered is not None and 0 <= delivered < AFTER_DELIVERY
    ):
        return Verdict(Kind.MACHINE, Reason.TOO_SOON)
    if network is Network.HOSTING:
        return Verdict(Kind.UNSURE if phone else Kind.MACHINE, Reason.ADDRESS_HOSTING)
    if delivered is not None and delivered < 0:
        if not (phone or agent is Agent.MAC):
            return Verdict(Kind.MACHINE, Reason.BEFORE_DELIVERY)
        if posted is None or posted < EARLY:
            return Verdict(Kind.UNSURE, Reason.BEFORE_DELIVERY)
    if agent in _VAGUE:
        return Verdict(Kind.UNSURE, _VAGUE[agent])
    if double:
        return Verdict(Kind.UNSURE, Reason.DOUBLE)
    if delivered is not None and 0 <= delivered < HASTY:
        return Verdict(Kind.UNSURE, Reason.HASTY)
    if agent is Agent.DESKTOP:
        waited = delivered if delivered is not None else posted
        if waited is None or waited < AT_A_DESK:
            return Verdict(Kind.UNSURE, Reason.DESK_EARLY)
    return Verdict(Kind.HUMAN, Reason.PHONE if phone else Reason.BROWSER)


def _since(at: datetime, start: datetime | None) -> float | None:
    return None if start is None else (at - start).total_seconds()


def _behaviour(visits: list[Visit]) -> dict[int, Reason]:
    """What the neighbours betray, by index; `visits` is in order of time."""
    times = [visit.at for visit in visits]
    found: dict[int, Reason] = {}
    visitors: dict[tuple[str, str], list[int]] = {}
    for index, visit in enumerate(visits):
        visitors.setdefault((visit.ip, visit.agent), []).append(index)
    for indexes in visitors.values():
        close = _close(
            [times[index] for index in indexes], indexes, seconds=BURST, different=VISITS_OF_A_BURST
        )
        found.update((indexes[place], Reason.REPEATS) for place in close)
    addresses = [index for index, visit in enumerate(visits) if visit.ip]
    close = _close(
        [times[index] for index in addresses],
        [visits[index].ip for index in addresses],
        seconds=CROWD,
        different=ADDRESSES_OF_A_CROWD,
    )
    found.update((addresses[place], Reason.CROWD) for place in close)
    close = _close(times, [visit.url for visit in visits], seconds=TOGETHER, different=2)
    found.update((index, Reason.LINKS_TOGETHER) for index in close)
    for (ip, agent), indexes in visitors.items():
        # a phone's own previewer shares address and agent with its owner, so a phone is not held to it
        betrayed = any(index in found for index in indexes)
        if betrayed and ip and agent and agent_of(agent) is not Agent.PHONE:
            for index in indexes:
                found.setdefault(index, Reason.SAME_VISITOR)
    return found


def _close(
    times: Sequence[datetime], marks: Sequence[Hashable], *, seconds: float, different: int
) -> list[int]:
    """Places that lie in some window of `seconds` with at least `different` different marks; `times` ascend. Linear."""
    inside: Counter[Hashable] = Counter()
    end = marked = 0
    found: list[int] = []
    for start, at in enumerate(times):
        while end < len(times) and (times[end] - at).total_seconds() <= seconds:
            inside[marks[end]] += 1
            end += 1
        if len(inside) >= different:
            found.extend(range(max(start, marked), end))
            marked = max(marked, end)
        inside[marks[start]] -= 1
        if not inside[marks[start]]:
            del inside[marks[start]]
    return found
