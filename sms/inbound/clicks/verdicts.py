"""Who clicked: a person, a machine, or unsure. Pure: the clicks of one message in, one verdict for each out.

A message's clicks are judged together, because neighbours are evidence, and again whenever one more is known, because a click after it
can change what an earlier one was. The verdicts depend on what is known and not on the order in which it came. What each reason means
to a reader is in `docs/users/clicks.md`; a change of a rule or a list raises `RULES`, and `manage.py judge_clicks` re-judges the past.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from sms.inbound.clicks.agents import Agent, agent_of
from sms.inbound.clicks.networks import NetworkOwner, network_of
from sms.models import Click

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


class VerdictReason(models.TextChoices):
    """The rule that decided, and how pages say it. Stored, so a code is never given another meaning."""

    # machine, by what it says of itself
    AGENT_PREVIEW = "agent_preview", _("a link previewer by its name")
    AGENT_CRAWLER = "agent_crawler", _("a crawler by its name")
    AGENT_SCANNER = "agent_scanner", _("a security scanner by its name")
    AGENT_HEADLESS = "agent_headless", _("a browser run by a program")
    AGENT_TOOL = "agent_tool", _("a tool by its name")
    AGENT_APP = "agent_app", _("fetched by an app, not by a browser")
    AGENT_OUTDATED = "agent_outdated", _("a browser that has been gone for years")
    AGENT_BARE = "agent_bare", _("no browser behind the user agent")
    # machine, by where it comes from
    ADDRESS_SCANNER = "address_scanner", _("from a link security service")
    ADDRESS_CRAWLER = "address_crawler", _("from a search engine or social network")
    # unsure where it looks like a phone: people use VPNs
    ADDRESS_HOSTING = "address_hosting", _("from a hosting company")
    # machine, by what it does
    LINKS_TOGETHER = "links_together", _("two links within a second")
    CROWD = "crowd", _("several addresses at once")
    REPEATS = "repeats", _("many visits within seconds")
    SAME_VISITOR = "same_visitor", _("the visitor of other machine clicks")
    TOO_SOON = "too_soon", _("too soon for a person")
    BEFORE_DELIVERY = "before_delivery", _("earlier than the delivery")  # unsure where it looks like a phone
    # unsure
    AGENT_MISSING = "agent_missing", _("no user agent reported")
    AGENT_INCOMPLETE = "agent_incomplete", _("half a user agent reported")
    AGENT_UNKNOWN = "agent_unknown", _("an unknown user agent")
    DOUBLE = "double", _("the same visit twice within a second")
    HASTY = "hasty", _("very soon after delivery")
    DESK_EARLY = "desk_early", _("a computer, soon after delivery")
    # human
    PHONE = "phone", _("looks like a person's phone")
    BROWSER = "browser", _("looks like a person's browser")


def reason_in_words(code: str) -> str:
    """A stored reason for people; also for codes of older rules and for clicks not judged yet."""
    return str(VerdictReason(code).label) if code in VerdictReason else code.replace("_", " ")


@dataclass(frozen=True, slots=True, order=True)
class ClickVisit:
    """One click as it was reported: texts are "" where nothing was said. In a total order, so that the order of arrival cannot matter."""

    at: datetime
    url: str
    ip: str
    agent: str


@dataclass(frozen=True, slots=True)
class ClickVerdict:
    kind: Click.Verdict
    reason: VerdictReason
    rules_version: int = RULES


_VAGUE = {
    agent: VerdictReason(f"agent_{agent}") for agent in (Agent.MISSING, Agent.INCOMPLETE, Agent.UNKNOWN)
}
_BY_AGENT = {
    agent: VerdictReason(f"agent_{agent}")
    for agent in Agent
    if agent not in _VAGUE and f"agent_{agent}" in VerdictReason.values
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
    order = sorted(range(len(visits)), key=visits.__getitem__)
    behaviour = _behaviour([visits[index] for index in order]) if len(visits) > 1 else {}
    last: dict[tuple[str, str, str], datetime] = {}
    found: dict[int, ClickVerdict] = {}
    for place, index in enumerate(order):
        visit = visits[index]
        same = (visit.ip, visit.agent, visit.url)
        double = same in last and (visit.at - last[same]).total_seconds() <= TOGETHER
        last[same] = visit.at
        found[index] = _judge_one(visit, behaviour.get(place), posted_at, delivered_at, double=double)
    return [found[index] for index in range(len(visits))]


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
        return ClickVerdict(Click.Verdict.MACHINE, certain)
    posted, delivered = _since(visit.at, posted_at), _since(visit.at, delivered_at)
    phone = agent is Agent.PHONE
    if (posted is not None and 0 <= posted < AFTER_POSTING) or (
        delivered is not None and 0 <= delivered < AFTER_DELIVERY
    ):
        return ClickVerdict(Click.Verdict.MACHINE, VerdictReason.TOO_SOON)
    if network is NetworkOwner.HOSTING:
        kind = Click.Verdict.UNSURE if phone else Click.Verdict.MACHINE
        return ClickVerdict(kind, VerdictReason.ADDRESS_HOSTING)
    if delivered is not None and delivered < 0:
        if not (phone or agent is Agent.MAC):
            return ClickVerdict(Click.Verdict.MACHINE, VerdictReason.BEFORE_DELIVERY)
        if posted is None or posted < EARLY:
            return ClickVerdict(Click.Verdict.UNSURE, VerdictReason.BEFORE_DELIVERY)
    if agent in _VAGUE:
        return ClickVerdict(Click.Verdict.UNSURE, _VAGUE[agent])
    if double:
        return ClickVerdict(Click.Verdict.UNSURE, VerdictReason.DOUBLE)
    if delivered is not None and 0 <= delivered < HASTY:
        return ClickVerdict(Click.Verdict.UNSURE, VerdictReason.HASTY)
    if agent is Agent.DESKTOP:
        waited = delivered if delivered is not None else posted
        if waited is None or waited < AT_A_DESK:
            return ClickVerdict(Click.Verdict.UNSURE, VerdictReason.DESK_EARLY)
    return ClickVerdict(Click.Verdict.HUMAN, VerdictReason.PHONE if phone else VerdictReason.BROWSER)


def _since(at: datetime, start: datetime | None) -> float | None:
    return None if start is None else (at - start).total_seconds()


def _behaviour(visits: list[ClickVisit]) -> dict[int, VerdictReason]:
    """What the neighbours betray, by index; `visits` is in order of time."""
    found: dict[int, VerdictReason] = {}
    visitors: dict[tuple[str, str], list[int]] = {}
    for index, visit in enumerate(visits):
        visitors.setdefault((visit.ip, visit.agent), []).append(index)
    for indexes in visitors.values():
        close = _close(visits, indexes, int, seconds=BURST, different=VISITS_OF_A_BURST)
        found.update(dict.fromkeys(close, VerdictReason.REPEATS))
    addresses = [index for index, visit in enumerate(visits) if visit.ip]
    ip_of, url_of = (lambda index: visits[index].ip), (lambda index: visits[index].url)
    close = _close(visits, addresses, ip_of, seconds=CROWD, different=ADDRESSES_OF_A_CROWD)
    found.update(dict.fromkeys(close, VerdictReason.CROWD))
    close = _close(visits, range(len(visits)), url_of, seconds=TOGETHER, different=2)
    found.update(dict.fromkeys(close, VerdictReason.LINKS_TOGETHER))
    for (ip, agent), indexes in visitors.items():
        # a phone's own previewer shares address and agent with its owner, so a phone is not held to it
        betrayed = any(index in found for index in indexes)
        if betrayed and ip and agent and agent_of(agent) is not Agent.PHONE:
            for index in indexes:
                found.setdefault(index, VerdictReason.SAME_VISITOR)
    return found


def _close(
    visits: Sequence[ClickVisit],
    indexes: Sequence[int],
    mark_of: Callable[[int], Hashable],
    *,
    seconds: float,
    different: int,
) -> list[int]:
    """Those of the indexes that lie in some window of `seconds` with at least `different` different marks. Linear."""
    inside: Counter[Hashable] = Counter()
    end = marked = 0
    found: list[int] = []
    for start, index in enumerate(indexes):
        while end < len(indexes) and (visits[indexes[end]].at - visits[index].at).total_seconds() <= seconds:
            inside[mark_of(indexes[end])] += 1
            end += 1
        if len(inside) >= different:
            found.extend(indexes[max(start, marked) : end])
            marked = max(marked, end)
        inside[mark_of(index)] -= 1
        if not inside[mark_of(index)]:
            del inside[mark_of(index)]
    return found
