"""Who clicked: a person, a machine, or unsure. Pure: the clicks of one message in, one verdict for each out.

A message's clicks are judged together, because neighbours are evidence, and again whenever one more is known, because a click after it
can change what an earlier one was. The verdicts depend on what is known and not on the order in which it came. What each reason means
to a reader is in `docs/users/clicks.md`; a change of a rule or a list raises `RULES`, and `manage.py judge_clicks` re-judges the past.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sms.inbound.clicks.agents import Agent, agent_of
from sms.inbound.clicks.networks import NetworkOwner, network_of

RULES = 1  # version of everything that decides, lists included

# seconds
TOGETHER = 1.0  # two links opened within it: no thumb does that
CROWD = 2.0  # several addresses within it
BURST = 10.0  # many visits of one visitor within it
AFTER_POSTING = 3.0  # no person has received, read and touched before that
AFTER_DELIVERY = 1.0
HASTY = 3.0  # after delivery, possible for a quick thumb
EARLY = 10.0  # after posting: too early to blame a late delivery receipt
AT_A_DESK = 30.0  # after delivery: a person at a computer takes longer, a scanner does not

ADDRESSES_OF_A_CROWD = 3
VISITS_OF_A_BURST = 5


class ClickerKind(StrEnum):
    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"


class VerdictReason(StrEnum):
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
    VerdictReason.AGENT_PREVIEW: "a link previewer by its name",
    VerdictReason.AGENT_CRAWLER: "a crawler by its name",
    VerdictReason.AGENT_SCANNER: "a security scanner by its name",
    VerdictReason.AGENT_HEADLESS: "a browser run by a program",
    VerdictReason.AGENT_TOOL: "a tool by its name",
    VerdictReason.AGENT_APP: "fetched by an app, not by a browser",
    VerdictReason.AGENT_OUTDATED: "a browser that has been gone for years",
    VerdictReason.AGENT_BARE: "no browser behind the user agent",
    VerdictReason.ADDRESS_SCANNER: "from a link security service",
    VerdictReason.ADDRESS_CRAWLER: "from a search engine or social network",
    VerdictReason.ADDRESS_HOSTING: "from a hosting company",
    VerdictReason.LINKS_TOGETHER: "two links within a second",
    VerdictReason.CROWD: "several addresses at once",
    VerdictReason.REPEATS: "many visits within seconds",
    VerdictReason.SAME_VISITOR: "the visitor of other machine clicks",
    VerdictReason.TOO_SOON: "too soon for a person",
    VerdictReason.BEFORE_DELIVERY: "earlier than the delivery",
    VerdictReason.AGENT_MISSING: "no user agent reported",
    VerdictReason.AGENT_INCOMPLETE: "half a user agent reported",
    VerdictReason.AGENT_UNKNOWN: "an unknown user agent",
    VerdictReason.DOUBLE: "the same visit twice within a second",
    VerdictReason.HASTY: "very soon after delivery",
    VerdictReason.DESK_EARLY: "a computer, soon after delivery",
    VerdictReason.PHONE: "looks like a person's phone",
    VerdictReason.BROWSER: "looks like a person's browser",
}


def reason_in_words(code: str) -> str:
    """A stored reason for people; also for codes of older rules and for clicks not judged yet."""
    return _IN_WORDS.get(code) or code.replace("_", " ")


@dataclass(frozen=True, slots=True)
class ClickVisit:
    """One click as it was reported: texts are "" where nothing was said."""

    at: datetime
    url: str
    ip: str
    agent: str


@dataclass(frozen=True, slots=True)
class ClickVerdict:
    kind: ClickerKind
    reason: VerdictReason
    rules_version: int = RULES


_BY_AGENT = {
    Agent.PREVIEW: VerdictReason.AGENT_PREVIEW,
    Agent.CRAWLER: VerdictReason.AGENT_CRAWLER,
    Agent.SCANNER: VerdictReason.AGENT_SCANNER,
    Agent.HEADLESS: VerdictReason.AGENT_HEADLESS,
    Agent.TOOL: VerdictReason.AGENT_TOOL,
    Agent.APP: VerdictReason.AGENT_APP,
    Agent.OUTDATED: VerdictReason.AGENT_OUTDATED,
    Agent.BARE: VerdictReason.AGENT_BARE,
}
_VAGUE = {
    Agent.MISSING: VerdictReason.AGENT_MISSING,
    Agent.INCOMPLETE: VerdictReason.AGENT_INCOMPLETE,
    Agent.UNKNOWN: VerdictReason.AGENT_UNKNOWN,
}
_BY_NETWORK = {
    NetworkOwner.SCANNER: VerdictReason.ADDRESS_SCANNER,
    NetworkOwner.CRAWLER: VerdictReason.ADDRESS_CRAWLER,
}


def judge(
    visits: Sequence[ClickVisit], *, posted_at: datetime | None = None, delivered_at: datetime | None = None
) -> list[ClickVerdict]:
    """One verdict for each visit of one message, in the order given. Never raises, whatever the texts hold.

    `posted_at`: when we gave the message to the provider; `delivered_at`: the time of its earliest Delivered receipt. Both None
    where not known. All times must be aware, or all naive.
    """
    order = sorted(range(len(visits)), key=lambda index: _sorting(visits[index]))
    found = _judge_in_order([visits[index] for index in order], posted_at, delivered_at)
    verdicts = dict(zip(order, found, strict=True))
    return [verdicts[index] for index in range(len(visits))]


def _sorting(visit: ClickVisit) -> tuple[datetime, str, str, str]:
    """A total order by content, so that the order of arrival cannot matter."""
    return visit.at, visit.url, visit.ip, visit.agent


def _judge_in_order(
    visits: list[ClickVisit], posted_at: datetime | None, delivered_at: datetime | None
) -> list[ClickVerdict]:
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
    visit: ClickVisit,
    behaviour: VerdictReason | None,
    posted_at: datetime | None,
    delivered_at: datetime | None,
    *,
    double: bool,
) -> ClickVerdict:
    agent, network = agent_of(visit.agent), network_of(visit.ip)
    certain = _BY_AGENT.get(agent) or _BY_NETWORK.get(network) or behaviour
    if certain is not None:
        return ClickVerdict(ClickerKind.MACHINE, certain)
    posted, delivered = _since(visit.at, posted_at), _since(visit.at, delivered_at)
    phone = agent is Agent.PHONE
    if (posted is not None and 0 <= posted < AFTER_POSTING) or (
        delivered is not None and 0 <= delivered < AFTER_DELIVERY
    ):
        return ClickVerdict(ClickerKind.MACHINE, VerdictReason.TOO_SOON)
    if network is NetworkOwner.HOSTING:
        return ClickVerdict(
            ClickerKind.UNSURE if phone else ClickerKind.MACHINE, VerdictReason.ADDRESS_HOSTING
        )
    if delivered is not None and delivered < 0:
        if not (phone or agent is Agent.MAC):
            return ClickVerdict(ClickerKind.MACHINE, VerdictReason.BEFORE_DELIVERY)
        if posted is None or posted < EARLY:
            return ClickVerdict(ClickerKind.UNSURE, VerdictReason.BEFORE_DELIVERY)
    if agent in _VAGUE:
        return ClickVerdict(ClickerKind.UNSURE, _VAGUE[agent])
    if double:
        return ClickVerdict(ClickerKind.UNSURE, VerdictReason.DOUBLE)
    if delivered is not None and 0 <= delivered < HASTY:
        return ClickVerdict(ClickerKind.UNSURE, VerdictReason.HASTY)
    if agent is Agent.DESKTOP:
        waited = delivered if delivered is not None else posted
        if waited is None or waited < AT_A_DESK:
            return ClickVerdict(ClickerKind.UNSURE, VerdictReason.DESK_EARLY)
    return ClickVerdict(ClickerKind.HUMAN, VerdictReason.PHONE if phone else VerdictReason.BROWSER)


def _since(at: datetime, start: datetime | None) -> float | None:
    return None if start is None else (at - start).total_seconds()


def _behaviour(visits: list[ClickVisit]) -> dict[int, VerdictReason]:
    """What the neighbours betray, by index; `visits` is in order of time."""
    times = [visit.at for visit in visits]
    found: dict[int, VerdictReason] = {}
    visitors: dict[tuple[str, str], list[int]] = {}
    for index, visit in enumerate(visits):
        visitors.setdefault((visit.ip, visit.agent), []).append(index)
    for indexes in visitors.values():
        close = _close(
            [times[index] for index in indexes], indexes, seconds=BURST, different=VISITS_OF_A_BURST
        )
        found.update((indexes[place], VerdictReason.REPEATS) for place in close)
    addresses = [index for index, visit in enumerate(visits) if visit.ip]
    close = _close(
        [times[index] for index in addresses],
        [visits[index].ip for index in addresses],
        seconds=CROWD,
        different=ADDRESSES_OF_A_CROWD,
    )
    found.update((addresses[place], VerdictReason.CROWD) for place in close)
    close = _close(times, [visit.url for visit in visits], seconds=TOGETHER, different=2)
    found.update((index, VerdictReason.LINKS_TOGETHER) for index in close)
    for (ip, agent), indexes in visitors.items():
        # a phone's own previewer shares address and agent with its owner, so a phone is not held to it
        betrayed = any(index in found for index in indexes)
        if betrayed and ip and agent and agent_of(agent) is not Agent.PHONE:
            for index in indexes:
                found.setdefault(index, VerdictReason.SAME_VISITOR)
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
