"""Send options: what a send asks of the provider beyond its text and numbers, about links, contact policy, receipts and validity.

`SendOptions` is part of an order. `problems` says what cannot be asked for, `to_stored` is what the send keeps, in the words of the wire;
`sms.dispatch.request` reads it there. A partner's request has the same in its own body (`sms.api.drop_in`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sms.compose.errors import PartnerRequest, Problem
from sms.models import Resend
from sms.webex.limits import LONGEST_VALIDITY, TAG

RECEIPTS = {
    "SUBMITTED": "without it you do not see when a message reached the operator, and a send without receipts is not noticed",
    "SENT": "the older name of Submitted; ask for it only where your Webex Connect still distinguishes them",
    "DELIVERED": "without it every message ends as “no report”, and delivery cannot be measured",
    "FAILED": "without it you do not see why messages do not arrive, and opt-outs that the provider knows stay unknown here",
    "CLICKED": "without it clicks are not counted, although links are tracked",
}
DEFAULT_RECEIPTS = ("SUBMITTED", "DELIVERED", "FAILED", "CLICKED")


@dataclass(frozen=True, slots=True)
class SendOptions:
    """None for a policy check: as its group has it. `validity` is in seconds from the hand-over to the provider."""

    track_clicks: bool = True
    tag1: str = ""
    tag2: str = ""
    check_consent: bool | None = None
    apply_frequency_cap: bool | None = None
    receipts: tuple[str, ...] = DEFAULT_RECEIPTS
    validity: int | None = None

    @property
    def missing_receipts(self) -> tuple[str, ...]:
        """Default receipts that were left out; CLICKED only matters where links are tracked."""
        return tuple(
            one
            for one in DEFAULT_RECEIPTS
            if one not in self.receipts and (one != "CLICKED" or self.track_clicks)
        )


DEFAULT_OPTIONS = SendOptions()


def policy_checks(asked: Any, group: Any) -> tuple[bool, bool]:
    """Whether consent and the frequency cap are checked: as the send or draft asks, else as the group has it."""
    consent = group.check_consent if asked.check_consent is None else asked.check_consent
    cap = group.apply_frequency_cap if asked.apply_frequency_cap is None else asked.apply_frequency_cap
    return consent, cap


def problems(asked: SendOptions, *, group: Any, expires: bool, resend: str, ramp: bool) -> Iterator[Problem]:
    """What cannot be asked for, also given the send's other choices: what waits for receipts has to get them."""
    if resend == Resend.ALWAYS and not expires:
        yield Problem(
            "expires_at", "Sending again when in doubt needs an expiry, so that it comes to an end."
        )
    if group is not None and policy_checks(asked, group) == (False, False):
        yield Problem(
            "check_consent",
            f"{group} must check consent, the frequency cap, or both. Choose one of them, or choose no policy group.",
        )
    for name in ("tag1", "tag2"):
        if (tag := getattr(asked, name)) and TAG.fullmatch(tag) is None:
            yield Problem(name, f"“{tag[:60]}” is no tag. Write up to 50 letters, digits, _ and -.")
    unknown = [one for one in asked.receipts if one not in RECEIPTS]
    if unknown or not asked.receipts:
        yield Problem(
            "receipts", "Ask for at least one receipt. Without receipts the state of a message stays unknown."
        )
    lost = [one.capitalize() for one in ("DELIVERED", "FAILED") if one not in asked.receipts]
    relies = "Sending again by the receipts of others" if resend == Resend.EVIDENCE else ""
    relies = "Starting small" if ramp else relies
    if relies and lost:
        yield Problem(
            "receipts",
            f"{relies} needs the receipts {' and '.join(lost)}. Ask for them, or choose otherwise there.",
        )
    if asked.validity is not None and expires:
        yield Problem(
            "validity", "Webex Connect takes an expiry or a validity, not both. Choose one of the two."
        )
    elif asked.validity is not None and not 1 <= asked.validity <= LONGEST_VALIDITY:
        yield Problem("validity", "A validity is from one second to 72 hours. Write a shorter one.")


def to_stored(asked: SendOptions, partner: PartnerRequest | None, group: Any, domain: Any) -> dict[str, Any]:
    """What differs from the defaults, in the words of the wire; a partner's options as they came."""
    if partner is not None:
        return partner.options
    kept: dict[str, Any] = {}
    if domain is not None and (asked.track_clicks, asked.tag1, asked.tag2) != (True, "", ""):
        kept["options"] = {
            "shortenLinks": True,
            "trackClicks": asked.track_clicks,
            "tag1": asked.tag1,
            "tag2": asked.tag2,
            "allowFallbackURL": False,
        }
    if group is not None and (asked.check_consent, asked.apply_frequency_cap) != (None, None):
        consent, cap = policy_checks(asked, group)
        kept["contactPolicy"] = {"consent": consent, "cap": cap}
    if set(asked.receipts) != set(DEFAULT_RECEIPTS):
        kept["receipts"] = [one for one in RECEIPTS if one in asked.receipts]
    if asked.validity is not None:
        kept["validity"] = asked.validity
    return kept


def from_stored(kept: Mapping[str, Any], *, group: Any, domain: Any) -> SendOptions:
    """The options of a send that keeps `kept`, spelled out. Checks are None without a group; nothing is tracked without a domain."""
    options, checks = kept.get("options") or {}, kept.get("contactPolicy", {})
    clicks = domain is not None and bool(options.get("trackClicks", True))
    return SendOptions(
        track_clicks=clicks,
        tag1=options.get("tag1", ""),
        tag2=options.get("tag2", ""),
        check_consent=checks.get("consent", group.check_consent) if group is not None else None,
        apply_frequency_cap=checks.get("cap", group.apply_frequency_cap) if group is not None else None,
        receipts=tuple(requested_receipts(kept, clicks=clicks)),
        validity=kept.get("validity"),
    )


def requested_receipts(kept: Mapping[str, Any], *, clicks: bool) -> list[str]:
    """`requestedReceipts` of a send that keeps `kept`; CLICKED only where links are tracked."""
    wanted = kept.get("receipts", DEFAULT_RECEIPTS)
    return [one for one in wanted if one != "CLICKED" or clicks]


def asks_for(kept: Mapping[str, Any], *receipts: str) -> bool:
    return set(receipts) <= set(kept.get("receipts", DEFAULT_RECEIPTS))
