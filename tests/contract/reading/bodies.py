"""Bodies that keep every rule of the second reading but one or two, made from a seed, each with what the rule says the answer is.

An answer is `201`, a code with the field it names (`7004 sendAt`), or `201 7102` where the code comes as a receipt.
"""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Body = dict[str, Any]

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
TEMPLATE = "5S2ABCDFNR"
TAKEN = "201"


@dataclass(frozen=True, slots=True)
class Case:
    """How a body breaks, or just keeps, a rule. `make` changes a body that is valid, or makes its bytes."""

    rule: str
    make: Callable[[Body, Random], bytes | None]
    answer: str = TAKEN


@dataclass(frozen=True, slots=True)
class Asked:
    """A body, the rules it was made for, and the answers that they allow."""

    raw: bytes
    rules: tuple[str, ...]
    answers: frozenset[str]

    def line(self) -> str:
        return base64.b64encode(self.raw).decode()


def stamp(**ahead: float) -> str:
    return (NOW + timedelta(**ahead)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def one_of(rule: str, answer: str, field: str, *values: Any) -> Case:
    """A case that gives a field one of several values."""

    def make(body: Body, random: Random) -> None:
        body[field] = copy.deepcopy(random.choice(values))

    return Case(rule, make, answer)


def inside(rule: str, answer: str, block: str, **fields: Any) -> Case:
    """A case that gives fields of a block; None leaves one out. In `to` it is one of the destinations."""

    def make(body: Body, random: Random) -> None:
        found = body[block]
        part = random.choice(found) if isinstance(found, list) and found else found
        if not isinstance(part, dict):
            return  # another case has been here
        for name, value in fields.items():
            part[name] = copy.deepcopy(random.choice(value) if isinstance(value, tuple) else value)
            if value is None:
                del part[name]

    return Case(rule, make, answer)


def text(rule: str, answer: str, *values: str) -> Case:
    def make(body: Body, random: Random) -> None:
        body.pop("template", None)
        body["content"] = {"type": "text", "text": random.choice(values)}

    return Case(rule, make, answer)


def raw(rule: str, answer: str, *change: Callable[[bytes], bytes]) -> Case:
    """A case that changes the bytes of a body."""

    def make(body: Body, random: Random) -> bytes:
        said = json.dumps(body, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        return random.choice(change)(said)

    return Case(rule, make, answer)


def valid(random: Random) -> Body:
    """A body that keeps every rule, with some of the optional fields."""
    count = random.choice((1, 1, 1, 2, 5))
    numbers = [f"{random.choice(('', '+'))}4477009{random.randrange(10**5):05d}" for _ in range(count)]
    many = random.random() < 0.3
    to: list[Body] = [{"msisdn": numbers}] if many else [{"msisdn": [one]} for one in numbers]
    for entry in to:
        if random.random() < 0.5:
            entry["correlationId"] = random.choice(("", f"c-{random.randrange(10**6)}"))
        if random.random() < 0.3:
            entry["substitutions"] = {"name": random.choice(("Ada", "Zoë", ""))}
    body: Body = {
        "channel": "sms",
        "from": random.choice(("TEXTDESK", "447860000001", "+447860000001", "72345")),
        "to": to,
    }
    if random.random() < 0.15:
        body["template"] = {"id": TEMPLATE}
    else:
        words = random.choice(("Hello", "Hi $(name)", "Ünïcode €", "Hi 👋", "one\ntwo"))
        body["content"] = {"type": random.choice(("text", "unicode")), "text": words}
    optional: Body = {
        "substitutions": {"name": "you", "area": "North"},
        "options": {"domain": "https://uk.wbxc.io", "shortenLinks": True, "trackClicks": "true"},
        "requestedReceipts": random.sample(["SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"], 3),
        "callbackData": random.choice(("", "order=981", "x" * 2000)),
        "notifyUrl": random.choice(("", "https://hooks.example.net/wxc")),
        "contactPolicy": {"contactPolicyGroup": "demo-marketing", "channelCheckConsent": True},
        "sendAt": stamp(minutes=random.randrange(1, 10_080)),
    }
    body |= {name: value for name, value in optional.items() if random.random() < 0.25}
    if random.random() < 0.3:
        body["validity"] = random.choice(("60", "259200", 3600))
    return body


def corpus(count: int, seed: int, cases: tuple[Case, ...]) -> Iterator[Asked]:
    """Each case in turn, so that every rule is asked equally often: first alone, in the second half mostly with one more."""
    random = Random(seed)
    for number in range(count):
        case, body = cases[number % len(cases)], valid(random)
        if number < count // 2:
            yield _asked(body, random, case)
        else:
            yield _asked(body, random, *sorted((case, random.choice(cases)), key=_of_bytes))


def _of_bytes(case: Case) -> bool:
    """The bytes are changed last."""
    return case.rule.startswith("B")


def _asked(body: Body, random: Random, first: Case, second: Case | None = None) -> Asked:
    plain = copy.deepcopy(body)
    made, chosen = first.make(body, random), [first]
    if second is not None and made is None:
        whole = copy.deepcopy(body)
        made = second.make(whole, random)
        if not _changed(plain, body) & _changed(body, whole):  # otherwise one would undo the other
            body, chosen = whole, [first, second]
    raw = json.dumps(body, ensure_ascii=random.random() < 0.5).encode() if made is None else made
    answers = frozenset(one.answer for one in chosen)
    if len(answers) > 1:
        answers -= {TAKEN}
    return Asked(raw, tuple(sorted({one.rule for one in chosen})), answers)


def _changed(before: Body, after: Body) -> set[str]:
    """Fields whose values differ as JSON, where 1 is not true; content and template are one field, as either stands for the other."""
    differ = {
        name for name in before.keys() | after.keys() if repr(before.get(name)) != repr(after.get(name))
    }
    return {"content" if name == "template" else name for name in differ}
