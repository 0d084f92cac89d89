"""Examples of requests: the same body at our own `POST /v2/messages` and at the sandbox, and what then leaves us."""

from dataclasses import dataclass, field
from typing import Any

from tests.contract.rows import json_shown
from tests.contract.world import World

SMALLEST = {
    "channel": "sms",
    "from": "TEXTDESK",
    "to": [{"msisdn": ["+447700900001"], "correlationId": "c-1"}],
    "content": {"type": "text", "text": "Hello"},
}
LEFT_OUT = ...
NUMBER, OTHER = "+447700900001", "+447700900002"
DOMAIN = "https://uk.wbxc.io"
TEMPLATE = {"template": {"id": "7K4QMPLE2R"}, "content": LEFT_OUT}
AREA = {"offerName": "Spring", "area": "North"}
PARAMETERS = "seed, Body Parameters"


def text(words: str, kind: str = "text") -> dict[str, str]:
    return {"type": kind, "text": words}


def to(**fields: object) -> list[dict[str, object]]:
    return [{"msisdn": [NUMBER]} | fields]


def linked(**options: object) -> dict[str, object]:
    return {"options": {"domain": DOMAIN} | options, "content": text("See https://example.com/a")}


SMART, NAMED = text("Hi {{smartlink_4371}}"), text("Hi $(name)")


@dataclass(frozen=True, slots=True)
class Asked:
    """`fields` beside the smallest request. `ours` and `theirs` are 201, or the code of the refusal with its parameter.

    `sent` is what the request that leaves us has in these fields; None where nothing leaves. `outcome` is the sandbox's for the
    partner's own body, `switches` what the sandbox is set to for it, and `service` what differs in ours.
    """

    fields: dict[str, Any]
    ours: str = "201"
    theirs: str = "201"
    sent: dict[str, Any] | None = field(default_factory=dict)
    outcome: str = ""
    switches: dict[str, str] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    words: str = ""  # what is special about it

    def shown(self) -> str:
        words = f" ({self.words})" if self.words else ""
        ours = f"Textdesk {self.ours}"
        if self.sent:
            ours += f", sends {_given(self.sent)}"
        elif self.sent is None:
            ours += ", sends nothing"
        theirs = f"sandbox {self.theirs}" + (f", {self.outcome}" if self.outcome else "")
        if self.switches:
            theirs += f" with {', '.join(f'`{name}={value}`' for name, value in self.switches.items())}"
        return f"{_given(self.fields)}{words} → {ours}; {theirs}"

    def run(self, world: World) -> None:
        whole = SMALLEST | self.fields
        body = world.moved({name: value for name, value in whole.items() if value is not LEFT_OUT})
        answer = world.ask(world.service(**self.service), body)
        said = _said(answer.status_code, answer.json() if answer.content else {})
        assert said == self.ours, f"Textdesk answers {said}: {answer.content!r}"
        if self.ours == "201":
            self._leaves(world)
        with world.switched(self.switches):
            theirs = world.tenant.post(body)
            said = _said(theirs.status, theirs.json if theirs.body else {})
            assert said == self.theirs, f"the sandbox answers {said}: {theirs.body!r}"
            if self.outcome:
                outcome = world.tenant.last()["outcome"]
                assert outcome == self.outcome, f"the sandbox's outcome is {outcome}"

    def _leaves(self, world: World) -> None:
        bodies = world.sent()
        if self.sent is None:
            assert bodies == [], "nothing leaves"
            return
        assert bodies, "something leaves"
        for name, value in world.moved(self.sent).items():
            found = bodies[0].get(name, LEFT_OUT)
            assert found == value, f"what leaves has {name} {found!r}"


def _given(fields: dict[str, Any]) -> str:
    given = {name: value for name, value in fields.items() if value is not LEFT_OUT}
    left_out = [f"without `{name}`" for name, value in fields.items() if value is LEFT_OUT]
    return " ".join(([f"`{json_shown(given)}`"] if given or not left_out else []) + left_out)


def _said(status: int, body: dict[str, str]) -> str:
    """`201`, or the code and the parameter that the words end with."""
    if status == 201:
        return "201"
    name = body.get("message", "").partition(" - ")[2].partition(":")[0]
    return f"{body.get('code', status)} {name}".strip()
