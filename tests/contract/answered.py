"""Examples of what a partner is answered at our own endpoint beyond the refusals of a body: keys, rates, repeats, and reading back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract.asked import SMALLEST
from tests.contract.world import World
from tests.support import drop_in
from tests.support.partners import a_key


@dataclass(frozen=True, slots=True)
class Answered:
    """A request in words, the act that makes it, and the status and code of its answer."""

    words: str
    act: Callable[[World], Any]
    status: int
    code: str = ""
    holds: tuple[str, ...] = ()  # names in the body, or headers

    def shown(self) -> str:
        holds = f" with {', '.join(f'`{name}`' for name in self.holds)}" if self.holds else ""
        return f"{self.words} → {' '.join(filter(None, (str(self.status), self.code)))}{holds}"

    def run(self, world: World) -> None:
        answer = self.act(world)
        said = answer.json() if answer.content else {}
        assert (answer.status_code, said.get("code", "")) == (self.status, self.code), answer.content
        for name in self.holds:
            assert name in said or answer.headers.get(name), (name, said, answer.headers)


def post(world: World, token: str, content: Any, **headers: str) -> Any:
    return drop_in.post(token, content, client=world.browser, **headers)


def get(world: World, token: str, message_id: str) -> Any:
    return world.browser.get(f"/v2/messages/{message_id}", headers={"key": token})


def plain(world: World, **key: Any) -> Any:
    return post(world, a_key(world.service(), **key), SMALLEST)


def without_key(world: World) -> Any:
    world.service()
    return post(world, "nobody's", SMALLEST)


def over_the_rate(world: World) -> Any:
    token = a_key(world.service(), per_minute=1)
    post(world, token, SMALLEST)
    return post(world, token, SMALLEST)


def again(world: World, *, other: bool = False) -> Any:
    token = a_key(world.service())
    headers = {"Idempotency-Key": "order-1"}
    first = post(world, token, SMALLEST, **headers)
    second = post(world, token, SMALLEST | ({"callbackData": "x"} if other else {}), **headers)
    assert other or first.json() == second.json()
    return second


def reference_again(world: World) -> Any:
    token = a_key(world.service())
    post(world, token, SMALLEST | {"clientReference": "order-1"})
    return post(world, token, SMALLEST | {"clientReference": "order-1"})


def read_back(world: World) -> Any:
    token = a_key(world.service())
    return get(world, token, post(world, token, SMALLEST).json()["messageId"])


def unknown_message(world: World) -> Any:
    return get(world, a_key(world.service()), "1a2b3c4d-0000-4000-8000-000000000000")


def other_verb(world: World) -> Any:
    return world.browser.put("/v2/messages", b"{}", headers={"key": a_key(world.service())})


def no_json(world: World) -> Any:
    return post(world, a_key(world.service()), b"{")
