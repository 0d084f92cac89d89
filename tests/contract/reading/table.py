"""The rules of `rules.txt`, and the page `docs/second-reading.md` that is made of them."""

from pathlib import Path
from typing import NamedTuple

from tests.contract.reading.cases import CASES

PAGE = Path(__file__).parents[3] / "docs" / "second-reading.md"
HEAD = """# The second reading

The sandbox plays the provider in our tests, and its first rules came from the author of the client: both could have misread the same
sentence. So its rules were written again by somebody who knew the provider's two documents and none of the code, and then compared. This
is every rule of that reading; what came of the comparison and why is in [decision 19](decisions/0019-second-reading.md).

S81 is line 81 of the seed (the provider's page that the project started from, which wins), R3.1 is section 3.1 of the reference that
gathers the later pages. What the documents do not say is a choice, and nearly always a [switch](partners/sandbox.md#switches).
"""


class Rule(NamedTuple):
    """`before` is what the first reading had, and `changed` what was changed; both empty where the readings agree."""

    name: str
    says: str
    source: str
    evidence: str
    answer: str
    before: str = ""
    changed: str = ""


RULES = tuple(
    Rule(*line.split(" | "))
    for line in Path(__file__).with_name("rules.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)
DIFFERENT = tuple(one for one in RULES if one.before)
ASKED = frozenset(one.rule for one in CASES)
"""Those that bodies are made for; the others are about headers, replies, receipts and incoming messages."""


def figures() -> dict[str, int]:
    changed = [one.changed for one in DIFFERENT]
    return {
        "rules": len(RULES),
        "asked_by_bodies": len(ASKED),
        "differences": len(DIFFERENT),
        "sandbox_changed": changed.count("sandbox") + changed.count("both"),
        "client_changed": changed.count("both"),
        "nothing_changed": changed.count("nothing"),
    }


def page() -> str:
    said = figures()
    lines = [
        f"{said['rules']} rules; {said['differences']} differences. {said['sandbox_changed']} changed the sandbox, "
        f"{said['client_changed']} of these our client or endpoint as well, and {said['nothing_changed']} were settled for "
        "the first reading.",
        "",
        "## Where the readings differ",
        "",
        "| rule | says | source | the first reading | now | changed |",
        "|---|---|---|---|---|---|",
        *(_line(one.name, one.says, one.source, one.before, one.answer, one.changed) for one in DIFFERENT),
        "",
        "## Every rule",
        "",
        "| rule | says | source | evidence | the sandbox |",
        "|---|---|---|---|---|",
        *(_line(one.name, one.says, one.source, one.evidence, one.answer) for one in RULES),
        "",
    ]
    return HEAD + "\n" + "\n".join(lines)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
