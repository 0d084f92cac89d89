"""Three records of one send compared: what arrived at the provider, what our database says, and what the send's page shows.

The sandbox's ledger is the truth about money spent. `compare` is pure; `ledger` fetches. Rules:

    lost        posted by our records and unknown to the provider, or never posted and yet not waiting for a person and not stopped in time
    duplicate   one message that the provider took more than once, under one correlation id or under several
    unarmed     arrived under an attempt that our records do not know: bytes left before the commit that says so
    parked      unconfirmed at the end; a person must look. Harmless after a crash between arming and recording, wrong anywhere else
    unheard     parked although an answered receipt proves what became of it
    disagree    state differs from what the answered receipts prove
    page        the page's figures differ from the rows, or do not add up to the recipients
"""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

OPEN = ("pending", "posting")
STOPPED = ("cancelled", "expired")
ACCEPTED = ("queued", "submitted", "delivered")
RANK = {"queued": 1, "submitted": 2, "failed": 3, "delivered": 4}
PROOF = {
    "Submitted": "submitted",
    "Delivered": "delivered",
    "Clicked": "delivered",
    "Un-Delivered": "failed",
    "Failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A message as our database has it."""

    id: int
    msisdn: str
    state: str
    attempt: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison found, as message ids; `sentence` says it to a person."""

    messages: int
    arrived: int
    lost: Sequence[int] = ()
    duplicates: Sequence[int] = ()
    unarmed: Sequence[int] = ()
    parked: Sequence[int] = ()
    unheard: Sequence[int] = ()
    disagree: Sequence[str] = ()
    page: Sequence[str] = ()
    parking_allowed: bool = True
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def wrong(self) -> dict[str, Sequence[object]]:
        """What must be empty, where it is not."""
        must = {
            "lost": self.lost,
            "duplicates": self.duplicates,
            "unarmed": self.unarmed,
            "parked": () if self.parking_allowed else self.parked,
            "unheard": self.unheard,
            "disagree": self.disagree,
            "page": self.page,
        }
        return {name: found for name, found in must.items() if found}

    @property
    def good(self) -> bool:
        """Whether the records agree."""
        return not self.wrong

    @property
    def sentence(self) -> str:
        """Like "80 messages, 80 arrived: nothing lost, nothing twice; 3 parked."."""
        told = [f"{len(found)} {name} ({_some(found)})" for name, found in self.wrong.items()]
        calm = f"nothing lost, nothing twice; {len(self.parked)} parked"
        shown = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return (
            f"{self.messages} messages, {self.arrived} arrived: {'; '.join(told) or calm}. States: {shown}."
        )


def _some(found: Sequence[object]) -> str:
    shown = ", ".join(map(str, found[:5]))
    return f"{shown}, …" if len(found) > 5 else shown


def compare(
    rows: Sequence[Row],
    log: Iterable[Mapping[str, object]],
    *,
    page: Mapping[str, int],
    recipients: int,
    parking_allowed: bool = True,
) -> Verdict:
    """Compare one send. `log`: the ledger's lines of this send and no other (see `of_text`); `page`: figures by state."""
    arrivals: dict[int, list[int]] = {row.id: [] for row in rows}
    proven: dict[int, str] = {}
    strangers = 0
    for line in log:
        key, attempt = stem(str(line["correlationId"]))
        if line["kind"] == "message":
            if key in arrivals:
                arrivals[key].append(attempt)
            else:
                strangers += 1
        elif line["answer"] == 200:
            state = PROOF[str(line["status"])]
            if RANK[state] > RANK.get(proven.get(key, ""), 0):
                proven[key] = state
    disagree = [said for row in rows if (said := _disagreement(row, arrivals[row.id], proven.get(row.id)))]
    if strangers:
        disagree.append(f"{strangers} arrived that we have no message for")
    return Verdict(
        messages=len(rows),
        arrived=sum(map(bool, arrivals.values())),
        lost=[row.id for row in rows if _lost(row, arrivals[row.id])],
        duplicates=[row.id for row in rows if len(arrivals[row.id]) > 1],
        unarmed=[row.id for row in rows if max(arrivals[row.id], default=0) > row.attempt],
        parked=[row.id for row in rows if row.state == "unconfirmed"],
        unheard=[row.id for row in rows if row.state == "unconfirmed" and row.id in proven],
        disagree=disagree,
        page=_page(rows, page, recipients),
        parking_allowed=parking_allowed,
        states=dict(Counter(row.state for row in rows)),
    )


def _lost(row: Row, arrived: Sequence[int]) -> bool:
    """Open at the end is lost whether it arrived or not: nobody is going to look at it."""
    return row.state in OPEN or (row.state in ACCEPTED and not arrived)


def _disagreement(row: Row, arrived: Sequence[int], proof: str | None) -> str:
    if row.state in STOPPED and arrived:
        return f"{row.id} is {row.state}, and it went out"
    if row.state == "unconfirmed" or row.state in OPEN:
        return ""  # counted as unheard or lost
    if proof is None:
        return f"{row.id} is {row.state} without a receipt" if row.state in ("submitted", "delivered") else ""
    return "" if row.state == proof else f"{row.id} is {row.state}, its receipts prove {proof}"


def _page(rows: Sequence[Row], page: Mapping[str, int], recipients: int) -> list[str]:
    counted = Counter(row.state for row in rows)
    found = [
        f"{state}: the page shows {page.get(state, 0)}, there are {counted[state]}"
        for state in sorted({*page, *counted})
        if page.get(state, 0) != counted[state]
    ]
    if sum(page.values()) != recipients:
        found.append(f"the page's figures add up to {sum(page.values())}, recipients are {recipients}")
    return found


def stem(correlation_id: str) -> tuple[int, int]:
    """Message key and attempt of a correlation id of ours, without looking at its check; (0, 0) for anything else."""
    key, _, rest = correlation_id.partition("-")
    attempt = rest.partition("-")[0]
    try:
        return int(key, 36), int(attempt)
    except ValueError:
        return 0, 0


def ledger(port: int) -> list[dict]:
    """The sandbox's whole log."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/__sandbox__/log", timeout=60) as answer:
        return [json.loads(line) for line in answer.read().decode().splitlines() if line]


def of_text(log: Iterable[Mapping[str, object]], text: str) -> list[Mapping[str, object]]:
    """The lines of the one send whose messages all say `text`, and of their receipts."""
    lines = list(log)
    ours = {line["messageId"] for line in lines if line["kind"] == "message" and line["text"] == text}
    return [line for line in lines if line["messageId"] in ours]
