"""What a send asks of the provider beyond its text and numbers: links, contact policy, receipts, validity.

`SendOptions` is part of an order. `problems` says what cannot be asked for, `to_stored` is what the send keeps, in the words of the wire;
`sms.dispatch.request` reads it there. A partner's request says the same in its own body (`sms.api.drop_in`). Called by `sms.compose`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sms.compose.errors import PartnerRequest, Problem
from sms.models import Resend

RECEIPTS = {
    "SUBMITTED": "without it nobody sees when a message reached the operator, and a send that stays silent is not noticed",
    "SENT": "the older name of Submitted; ask for it only where your Webex Connect still tells them apart",
    "DELIVERED": "without it every message ends as “no report”, and delivery cannot be measured",
    "FAILED": "without it nobody sees why messages do not arrive, and opt-outs that the provider knows stay unknown here",
    "CLICKED": "without it clicks are not counted, although links are tracked",
}
DEFAULT_RECEIPTS = ("SUBMITTED", "DELIVERED", "FAILED", "CLICKED")
LONGEST_VALIDITY = 72 * 3600  # seconds; what an operator keeps trying for at most (reference §3)
_TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")


@dataclass(frozen=True, slots=True)
class SendOptions:
    """All as usual unless said. None for a policy check: as its group says. `validity` is in seconds from the hand-over."""

    track_clicks: bool = True
    tag1: str = ""
    tag2: str = ""
    check_consent: bool | None = None
    apply_frequency_cap: bool | None = None
    receipts: tuple[str, ...] = DEFAULT_RECEIPTS
    validity: int | None = None

    @property
    def missing_receipts(self) -> tuple[str, ...]:
        """Those that every other send gets; a click only counts where links are tracked."""
        return tuple(
            one
            for one in DEFAULT_RECEIPTS
            if one not in self.receipts and (one != "CLICKED" or self.track_clicks)
        )


DEFAULT_OPTIONS = SendOptions()


def policy_checks(wishes: Any, group: Any) -> tuple[bool, bool]:
    """What is checked at each message: the own choice of the send or draft, else the group's."""
    consent = group.check_consent if wishes.check_consent is None else wishes.check_consent
    cap = group.apply_frequency_cap if wishes.apply_frequency_cap is None else wishes.apply_frequency_cap
    return consent, cap


def problems(wishes: SendOptions, *, group: Any, expires: bool, resend: str, ramp: bool) -> Iterator[Problem]:
    """What cannot be asked for, also beside the send's other choices: what waits for receipts has to get them."""
    if resend == Resend.ALWAYS and not expires:
        yield Problem(
            "expires_at", "Sending again when in doubt needs an expiry, so that it comes to an end."
        )
    if group is not None and policy_checks(wishes, group) == (False, False):
        yield Problem(
            "check_consent",
            f"{group} must check consent, the frequency cap, or both. Say yes to one, or choose no policy group.",
        )
    for name in ("tag1", "tag2"):
        if (tag := getattr(wishes, name)) and _TAG.fullmatch(tag) is None:
            yield Problem(name, f"“{tag[:60]}” is no tag. Write up to 50 letters, digits, _ and -.")
    unknown = [one for one in wishes.receipts if one not in RECEIPTS]
    if unknown or not wishes.receipts:
        yield Problem("receipts", "Ask for at least one receipt, or nobody learns what became of a message.")
    lost = [one.capitalize() for one in ("DELIVERED", "FAILED") if one not in wishes.receipts]
    relies = "Sending again by the receipts of others" if resend == Resend.EVIDENCE else ""
    relies = "Starting small" if ramp else relies
    if relies and lost:
        yield Problem(
            "receipts",
            f"{relies} needs the receipts {' and '.join(lost)}. Ask for them, or choose otherwise there.",
        )
    if wishes.validity is not None and expires:
        yield Problem(
            "validity", "Webex Connect takes an expiry or a validity, not both. Choose one of the two."
        )
    elif wishes.validity is not None and not 1 <= wishes.validity <= LONGEST_VALIDITY:
        yield Problem("validity", "A validity is from one second to 72 hours. Write a shorter one.")


def to_stored(wishes: SendOptions, partner: PartnerRequest | None, group: Any, domain: Any) -> dict[str, Any]:
    """What differs from the usual; empty for a send that asks for nothing of its own. A partner's request says all of its wishes itself."""
    if partner is not None:
        return partner.wishes
    kept: dict[str, Any] = {}
    if domain is not None and (wishes.track_clicks, wishes.tag1, wishes.tag2) != (True, "", ""):
        kept["options"] = {
            "shortenLinks": True,
            "trackClicks": wishes.track_clicks,
            "tag1": wishes.tag1,
            "tag2": wishes.tag2,
            "allowFallbackURL": False,
        }
    if group is not None and (wishes.check_consent, wishes.apply_frequency_cap) != (None, None):
        consent, cap = policy_checks(wishes, group)
        kept["contactPolicy"] = {"consent": consent, "cap": cap}
    if set(wishes.receipts) != set(DEFAULT_RECEIPTS):
        kept["receipts"] = [one for one in RECEIPTS if one in wishes.receipts]
    if wishes.validity is not None:
        kept["validity"] = wishes.validity
    return kept


def from_stored(kept: Mapping[str, Any], *, group: Any, domain: Any) -> SendOptions:
    """What a send that keeps these asks for, spelled out. Checks are None without a group; nothing is tracked without a domain."""
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
    """`requestedReceipts` of a send that keeps these wishes; CLICKED only where links are tracked."""
    wanted = kept.get("receipts", DEFAULT_RECEIPTS)
    return [one for one in wanted if one != "CLICKED" or clicks]


def asks_for(kept: Mapping[str, Any], *receipts: str) -> bool:
    """Whether a send that keeps these wishes is told of all of these."""
    return set(receipts) <= set(kept.get("receipts", DEFAULT_RECEIPTS))
