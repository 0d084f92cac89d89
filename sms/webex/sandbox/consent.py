"""Contact policy: consent groups, their members, and how often a person may be written to."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

CHANNELS = ("email", "text", "voice", "whatsapp")
PERIODS = ("DAY", "WEEK", "MONTH")
KINDS = ("ALLOWLIST", "DENYLIST")
STATES = ("ENABLED", "DISABLED")
MOST_SENDERS = 10
MOST_CAPS = 10
LARGEST_CAP = 5000
LONGEST_NAME = 128
DEMO_GROUP = "demo-marketing"


class Cap(NamedTuple):
    """At most ``most`` in a ``period`` of the UTC calendar; ``channel`` is empty for all channels together."""

    period: str
    most: int
    channel: str = ""


@dataclass(slots=True)
class Member:
    """What a person has agreed to, on one channel. Times are epoch seconds; ``expires`` 0 is never."""

    channel: str
    address: str
    consent: bool
    reason: str = ""
    expires: float = 0.0
    updated: float = 0.0
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ConsentGroup:
    """A consent group. ``members`` is by channel and address; ``used`` counts by channel, address and period."""

    group_id: str
    name: str
    description: str
    kind: str
    senders: list[tuple[str, str]]
    caps: list[Cap]
    created_by: str = ""
    status: str = "ENABLED"
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    used: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)

    def has(self, channel: str) -> bool:
        return any(one == channel for one, _ in self.senders)


def calendar(period: str, now: float) -> str:
    """The name of the UTC day, ISO week or month that ``now`` (epoch seconds) lies in."""
    moment = datetime.fromtimestamp(now, UTC)
    return moment.strftime({"DAY": "%Y-%m-%d", "WEEK": "%G-W%V", "MONTH": "%Y-%m"}[period])


def new_id() -> str:
    """A group id: 22 characters of base64url, as in the provider's sample."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def demo() -> ConsentGroup:
    """The group of the demo service: everyone may be written to who has not opted out."""
    caps = [Cap("DAY", 100, "text"), Cap("WEEK", 500, "text"), Cap("MONTH", 1000, "text")]
    return ConsentGroup(
        DEMO_GROUP, DEMO_GROUP, "The group of the demo.", "DENYLIST", [("text", "TEXTDESK")], caps
    )


class Consents:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.groups: dict[str, ConsentGroup] = {DEMO_GROUP: demo()}

    def check(
        self, group_id: str, address: str, now: float, *, consent: bool, cap: bool, channel: str = "text"
    ) -> str:
        """The code that stops a message to ``address`` (with its +), or "" when it may go. Counts nothing."""
        group = self.groups.get(group_id)
        if group is None:
            return "9005" if consent else "9007"
        if group.status != "ENABLED" or not group.has(channel):
            return "9005"
        if consent and (code := self._consent(group, group.members.get((channel, address)), now)):
            return code
        return "9006" if cap and self._full(group, channel, address, now) else ""

    @staticmethod
    def _consent(group: ConsentGroup, member: Member | None, now: float) -> str:
        over = member is not None and 0 < member.expires <= now
        if group.kind == "DENYLIST":
            return "9002" if member is not None and not member.consent and not over else ""
        if member is None:
            return "9003"
        if not member.consent:
            return "9002"
        return "9010" if over else ""

    @staticmethod
    def _full(group: ConsentGroup, channel: str, address: str, now: float) -> bool:
        for cap in group.caps:
            if cap.channel not in ("", channel):
                continue
            period, count = group.used.get((cap.channel, address, cap.period), ("", 0))
            if count >= cap.most and period == calendar(cap.period, now):
                return True
        return False

    def count(self, group_id: str, address: str, now: float, channel: str = "text") -> bool:
        """Count a message against the caps of its group; False when it has none for this channel."""
        group = self.groups.get(group_id)
        counted = False
        for cap in group.caps if group else ():
            if group is None or cap.channel not in ("", channel):
                continue
            key, period = (cap.channel, address, cap.period), calendar(cap.period, now)
            before, count = group.used.get(key, ("", 0))
            group.used[key] = (period, count + 1 if before == period else 1)
            counted = True
        return counted
