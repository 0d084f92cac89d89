"""Forms of numbers that the numbering plan has left behind, or that only networks write: which of today's numbers each means. Pure.

The table is `rewriting.toml`. Called by `sms.values.msisdn` for numbers in no assigned range, and for what networks report.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sms.values.msisdn import plan
from sms.values.msisdn.kinds import TEXTABLE, NumberKind


@dataclass(frozen=True, slots=True)
class RewritingRule:
    """`was` and `becomes` are what follows the calling code. `written`: "with the code", "by networks", or "" for any way."""

    was: re.Pattern[str]
    becomes: str
    written: str
    doubt: bool
    back: re.Pattern[str] | None


_RULES: dict[str, list[RewritingRule]] = {}
for _one in tomllib.loads(Path(__file__).with_name("rewriting.toml").read_text(encoding="utf-8"))["rule"]:
    _RULES.setdefault(_one["code"], []).append(
        RewritingRule(
            was=re.compile(_one["was"]),
            becomes=_one["is"],
            written=_one.get("written", ""),
            doubt=_one.get("doubt", False),
            back=re.compile(_one["back"]) if "back" in _one else None,
        )
    )
WITH_THE_CODE = "with the code"
BY_NETWORKS = "by networks"


def rewritten(code: str, number: str, *, ways: tuple[str, ...]) -> plan.SettledNumber | None:
    """The mobile of today that `number` means, if a rule for one of these `ways` of writing it says so."""
    for rule in _RULES.get(code, ()):
        if rule.written in ways and (match := rule.was.fullmatch(number)):
            found = plan.assigned(code, match.expand(rule.becomes))
            if found is not None and found.kind in TEXTABLE:
                kind = NumberKind.OUTDATED if rule.doubt else found.kind
                return plan.SettledNumber(found.number, found.owner, kind)
    return None


def is_outdated(code: str, number: str) -> bool:
    """Whether a number that is assigned as it stands may be an old form all the same."""
    rules = _RULES.get(code)
    return rules is not None and any(rule.doubt and rule.was.fullmatch(number) for rule in rules)


SPELLED_TWICE = tuple(f"+{code}" for code, rules in _RULES.items() if any(rule.back for rule in rules))


def other_spelling(code: str, number: str) -> str:
    """Of a mobile number that networks write in a form of their own: that form, or from it the one of lists; "" for none."""
    for rule in _RULES.get(code, ()):
        if rule.back and (match := rule.back.fullmatch(number)):
            return match[1]
    found = rewritten(code, number, ways=(BY_NETWORKS,))
    return found.number if found else ""
