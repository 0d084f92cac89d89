"""Requests that wait hold no thread: they are asked again, so many of them at most, and nobody is asked for who has gone."""

import asyncio
from typing import Any

import pytest

from portal.web.answers import Answered
from portal.web.asking_again import MOST, MOST_OF_A_KEY, AskingAgain, CallerGone
from sms.api.waiting import AGAIN_FROM, AGAIN_OF, AGAIN_UNTIL, BEFORE


class View:
    """Empty until `happened`, or until each has been asked `enough` times; what it is asked with is kept."""

    def __init__(self, *, until: float = 30.0) -> None:
        self.until, self.happened, self.asked = until, False, list[Any]()

    async def __call__(self, environ: dict[str, Any]) -> Answered:
        self.asked.append(environ.get(BEFORE))
        if self.happened:
            return Answered(200, [(b"etag", b"x")], b"event")
        of = environ["HTTP_AUTHORIZATION"].split()[-1]
        wish = {AGAIN_UNTIL: str(self.until), AGAIN_FROM: "place", AGAIN_OF: of}
        return Answered(
            200, [*((k.encode(), v.encode()) for k, v in wish.items()), (b"etag", b"x")], b"empty"
        )


def caller(key: str, nonsense: object = "") -> dict[str, Any]:
    """A key is looked for in `Authorization` first, and the scheme is written as one likes: what else is written names nobody."""
    return {"HTTP_KEY": str(nonsense), "HTTP_AUTHORIZATION": f"Bearer {' ' * len(str(nonsense))}{key}"}


async def silent() -> Any:
    await asyncio.Event().wait()


def test_who_waits_gets_what_happens_with_what_the_view_remembered():
    async def run() -> None:
        again, view = AskingAgain(), View()
        waits = asyncio.ensure_future(again(caller("k"), silent, view))
        while len(view.asked) < 2:
            await asyncio.sleep(0)
        view.happened = True
        assert await waits == Answered(200, [(b"etag", b"x")], b"event")
        assert view.asked[0] is None and view.asked[1].remembered == "place" and view.asked[1].seconds > 0
        assert not again.by_key

    asyncio.run(run())


def test_the_time_ends_it_with_the_empty_answer():
    async def run() -> None:
        view = View(until=0.3)
        found = await AskingAgain()(caller("k"), silent, view)
        assert (found.body, found.headers) == (b"empty", [(b"etag", b"x")]) and len(view.asked) == 3

    asyncio.run(run())


@pytest.mark.parametrize(("keys", "most"), [(["k"], MOST_OF_A_KEY), ([str(n) for n in range(MOST)], MOST)])
def test_more_than_so_many_are_answered_at_once(keys, most):
    async def run() -> None:
        again, view = AskingAgain(), View()
        ask = [again(caller(key, n), silent, view) for key in keys for n in range(most // len(keys))]
        waiting = [asyncio.ensure_future(one) for one in ask]
        await asyncio.sleep(0.01)
        assert not any(one.done() for one in waiting) and again.by_key.total() == most
        found = await again(caller(keys[0], "x"), silent, view)
        assert (found.body, found.headers) == (b"empty", [(b"etag", b"x")])
        view.happened = True
        assert {one.body for one in await asyncio.gather(*waiting)} == {b"event"} and not again.by_key

    asyncio.run(run())


def test_nothing_more_is_asked_for_a_caller_who_has_gone():
    async def run() -> None:
        again, view, said = AskingAgain(), View(), iter(["http.request", "http.disconnect"])

        async def receive() -> Any:
            return {"type": next(said)}

        with pytest.raises(CallerGone):
            await again(caller("k"), receive, view)
        assert len(view.asked) == 1 and not again.by_key

    asyncio.run(run())
