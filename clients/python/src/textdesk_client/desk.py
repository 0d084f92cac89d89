"""One Textdesk, as a program with an API key sees it. Called by programs of partners."""

import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, cast

import httpx

from textdesk_client.events import Event
from textdesk_client.generated.api.messages import messages_list
from textdesk_client.generated.api.sends import sends_create, sends_plan, sends_read
from textdesk_client.generated.client import AuthenticatedClient
from textdesk_client.generated.models import (
    MadeSend,
    Message,
    Plan,
    PlanBody,
    PlanUpload,
    Send,
    SendBody,
    SendUpload,
)
from textdesk_client.refusals import Refused, is_away, raise_if_refused
from textdesk_client.repeats import SafeRepeats

LONG_POLL = 20  # seconds that the server may keep a question for events
EVENTS_AT_ONCE = 500
LONGEST_PAUSE = 5  # seconds between two looks for a Textdesk that is away


class NotSettled(TimeoutError):
    """The time is over, and the fate of some messages is still open. `send` is what was seen last; nothing is lost, so ask on later."""

    def __init__(self, send: Send) -> None:
        waits = ", ".join(str(one.code) for one in send.waits)
        super().__init__(f"Send {send.id} is {send.state}{f' and waits for {waits}' if waits else ''}.")
        self.send = send


class Textdesk:
    """`generated` is the typed client of every operation; what it calls is repeated where that is safe, and raises Refused."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        tries: int = 4,
        patience: float = 60,
        timeout: float = 30,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`tries` of one call in all; a wait of more than `patience` seconds that Textdesk asks for is given back as Refused."""
        self.generated = AuthenticatedClient(
            base_url=base_url.rstrip("/"),
            token=key,
            prefix="",
            auth_header_name="key",
            timeout=httpx.Timeout(timeout, read=max(timeout, LONG_POLL + 10)),
        )
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers={"key": key, "User-Agent": "textdesk-client-python"},
            timeout=httpx.Timeout(timeout, read=max(timeout, LONG_POLL + 10)),
            transport=SafeRepeats(transport or httpx.HTTPTransport(), tries=tries, patience=patience),
            event_hooks={"response": [raise_if_refused]},
        )
        self.generated.set_httpx_client(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def plan(self, body: PlanBody | PlanUpload | None = None, **fields: Any) -> Plan:
        """What a send would do; nothing is stored. Takes a body or its fields by name, as `send` does."""
        if body is None:
            return Plan.from_dict(self._http.post("/api/v1/sends/plan", json=fields).json())
        return cast(Plan, sends_plan.sync(client=self.generated, body=body))

    def send(
        self, body: SendBody | SendUpload | None = None, *, idempotency_key: str = "", **fields: Any
    ) -> MadeSend:
        """Make a send: from a body, which with a file is a SendUpload, or from the fields of a SendBody by name.

        Give an `idempotency_key` of your own, such as the number of the order, where your program may be restarted in between: then
        a second call gets the first one's answer. Without one it is safe against lost answers within this call.
        """
        key = idempotency_key or str(uuid.uuid4())
        if (
            body is None
        ):  # as they are: a model would drop what it does not know, and Textdesk refuses it by name
            said = self._http.post("/api/v1/sends", json=fields, headers={"Idempotency-Key": key})
            return MadeSend.from_dict(said.json())
        return cast(MadeSend, sends_create.sync(client=self.generated, body=body, idempotency_key=key))

    def wait_until_settled(self, send: int, *, timeout: float = 600, longest_pause: float = 5) -> Send:
        """Until the fate of every message is known, or NotSettled after `timeout` seconds. Costs little: an unchanged send is a 304.
        A Textdesk that was there and is away is waited for."""
        deadline, pause, tag = time.monotonic() + timeout, 0.25, ""
        seen: Send | None = None
        while True:
            try:
                answer = sends_read.sync_detailed(send, client=self.generated, if_none_match=tag)
            except (httpx.TransportError, Refused) as away:
                if seen is None or not is_away(away):
                    raise
                answer = None
            if answer is not None and answer.parsed is not None:
                seen, tag = cast(Send, answer.parsed), answer.headers.get("ETag", "")
                if seen.settled_at is not None:
                    return seen
                pause = 0.25
            if time.monotonic() >= deadline and seen is not None:
                raise NotSettled(seen)
            time.sleep(min(pause * random.uniform(0.8, 1.2), max(deadline - time.monotonic(), 0)))  # noqa: S311
            pause = min(pause * 1.5, longest_pause)

    def messages(self, **filters: Any) -> Iterator[Message]:
        """Every message that the filters of GET /api/v1/messages leave, newest first, page by page."""
        while True:
            page = cast(Any, messages_list.sync(client=self.generated, **filters))
            yield from page.items
            if page.next_cursor is None:
                return
            filters["cursor"] = page.next_cursor

    def events(
        self, *, after: str = "", types: Sequence[str] = (), follow: bool = True, wait: int = LONG_POLL
    ) -> Iterator[Event]:
        """Events, oldest first, from the cursor `after` on; `now` for what comes from now on, nothing for all that are kept.

        Keep the `cursor` of the last event that you have dealt with, and begin there after a restart. With `follow` it never ends: the
        server keeps the question for up to `wait` seconds until there is something, and one that was there and is away is waited for.
        Without, it ends where there is nothing more.
        """
        usual: dict[str, Any] = {"limit": EVENTS_AT_ONCE} | ({"types": ",".join(types)} if types else {})
        if after == "now":  # a place in the log, which stays where it is
            after = self._http.get("/api/v1/events", params=usual | {"after": after}).json()["next_cursor"]
        pause, was_there = 0.25, False
        while True:
            asked = usual | ({"wait": wait} if follow else {}) | ({"after": after} if after else {})
            try:
                page: Mapping[str, Any] = self._http.get("/api/v1/events", params=asked).json()
            except (httpx.TransportError, Refused) as away:
                if not (follow and was_there and is_away(away)):
                    raise
                time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause, was_there = 0.25, True
            found = [Event.of(one) for one in page["items"]]
            before, after = after, page["next_cursor"]
            for place, event in enumerate(found, 1):
                yield replace(event, cursor=after if place == len(found) else before)
            if not follow and not page["has_more"]:
                return
