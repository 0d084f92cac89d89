"""The pages of people among many messages: one person, the replies, one conversation, and the search by number, name and ID.

`python -m tests.bench.people [--only sqlite|postgresql] [--rows N]` prints one JSON line per figure; N messages are 10 million on
PostgreSQL and 1 million on SQLite where it is not said. Pages are asked for through the application by an admin, without a network, each
time another person; `queries` counts all of one request, its session included. *busy* is a number with thousands of messages.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.rig.asking import TIMES, cost, signed_in
from tests.bench.rig.databases import on_each

OF_ONE_SEND, OF_ONE_NUMBER = 1000, 10  # messages
RECEIPTS, ECHOES, REPLIES = 4, 10, 100  # one for every so many messages
BUSY, BUSY_MESSAGES, BUSY_REPLIES = "+447799999999", 3000, 500
QUERIES = 15
GOAL = {"postgresql": 200, "sqlite": 400}  # milliseconds
TEXT = "Hello, your invoice is ready. You can pay it until the end of the month."


def main() -> None:
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    from django.db import connection

    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    rows = options.rows or (10_000_000 if options.one == "postgresql" else 1_000_000)
    began = time.perf_counter()
    conversations = fill(shop, rows)
    say(options, "filled", messages=rows, seconds=round(time.perf_counter() - began))
    if options.one == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")  # else it begins by itself, beside what is measured
    pages = Pages(shop, rows, conversations)
    for name, ask in pages.figures():
        say(options, name, messages=rows, **cost(ask), goal_ms=GOAL[options.one], goal_queries=QUERIES)


def number(index: str) -> str:
    """SQL of the index-th person's number."""
    from tests.bench.rig.copied_rows import padded

    return f"'+4477' || {padded(index, 8)}"


def fill(shop: Any, rows: int) -> int:
    """Messages over sends of a thousand, ten to each number, with receipts, names and replies; how many conversations there are."""
    from django.utils import timezone

    from sms.models import Echo, InboundMessage, Message, Receipt, Send
    from tests.bench.rig import receipts_desk
    from tests.bench.rig.copied_rows import copy, digest, without_indexes

    now, sends, people = timezone.now(), rows // OF_ONE_SEND, rows // OF_ONE_NUMBER
    send = Send.objects.create(
        service=shop, name="Invoices", sender=shop.senders.get(), text=TEXT, due_at=now, state="finished"
    )
    sent = {"attempt": 1, "posted_at": now, "queued_at": now, "final_at": now, "text": TEXT, "country": "GB"}
    message = Message.objects.create(send=send, msisdn=BUSY, row=1, state="delivered", segments=2, **sent)
    first = message.pk
    raw = receipts_desk.body(2, str(first))
    receipt = Receipt.objects.create(
        service=shop, message_id=first, attempt=1, dedupe=b"0" * 16, raw=raw, received_at=now
    )
    echo = Echo.objects.create(service=shop, message=message, correlation_id="theirs-0", reference="cust-0")
    with without_indexes(Send, Message, Receipt, Echo, InboundMessage):
        copy(send, sends, id=f"{send.pk} + n", name="'Invoices ' || CAST(n AS text)")
        copy(
            message,
            rows,
            id=f"{first} + n",
            send_id=f"{send.pk} + 1 + n % {sends}",
            msisdn=number(f"n % {people}"),
            provider_id="'p-' || CAST(n AS text)",
        )
        copy(message, BUSY_MESSAGES, id=f"{first + rows} + n", send_id=f"{send.pk} + 1 + n % {sends}")
        copy(
            receipt,
            rows // RECEIPTS,
            message_id=f"{first} + n * {RECEIPTS}",
            dedupe=digest("CAST(n AS text)"),
        )
        copy(
            echo,
            rows // ECHOES,
            message_id=f"{first} + n * {ECHOES}",
            correlation_id="'theirs-' || CAST(n AS text)",
            reference="'cust-' || CAST(n AS text)",
        )
        return replies(shop, rows // REPLIES, now)


def replies(shop: Any, count: int, now: Any) -> int:
    """Two SMS in each conversation, and many in a busy one; without the table of conversations only what came in."""
    from django.apps import apps

    from sms.models import InboundMessage
    from tests.bench.rig.copied_rows import copy, digest

    inbound = InboundMessage.objects.create(
        service=shop, dedupe=b"0" * 16, raw=b"{}", msisdn=BUSY, address="SHOP", text="Yes", received_at=now
    )
    first, many = inbound.pk, max(1, count // 2)
    different = {"id": f"{first} + n", "dedupe": digest("'in' || CAST(n AS text)")}
    if "conversation" in apps.all_models["sms"]:
        kept = apps.get_model("sms", "Conversation").objects.create(
            service=shop, msisdn=BUSY, address="SHOP", last_inbound_id=first, last_at=now
        )
        copy(
            kept,
            many,
            id=f"{kept.pk} + n",
            msisdn=number(f"n % {many}"),
            last_inbound_id=f"{first} + n + {many}",
        )
        InboundMessage.objects.filter(pk=first).update(conversation=kept)
        different["conversation_id"] = f"{kept.pk} + 1 + (n - 1) % {many}"
    copy(inbound, many * 2, **different, msisdn=number(f"((n - 1) % {many} + 1) % {many}"))
    busy = {"id": f"{first + many * 2} + n", "dedupe": digest("'busy' || CAST(n AS text)")}
    copy(InboundMessage.objects.get(pk=first), BUSY_REPLIES, **busy)
    return many


class Pages:
    """What is asked for, by an admin of the service."""

    def __init__(self, shop: Any, rows: int, conversations: int) -> None:
        from portal.models import Role

        self.shop, self.rows, self.conversations = shop, rows, conversations
        self.client = signed_in(shop, *Role.values)

    def figures(self) -> Iterator[tuple[str, Callable[[int], Any]]]:
        from sms.models import Message
        from sms.values import correlation_id

        last, key = (
            Message.objects.order_by("-pk").values_list("pk", flat=True)[BUSY_MESSAGES],
            self.shop.correlation_key,
        )

        def ours(turn: int) -> str:
            return correlation_id.write(message_id=last - self._place(turn), attempt=1, key=key)

        yield "person", lambda turn: self._person(self._number(turn))
        yield "person.busy", lambda turn: self._person(BUSY)
        yield from self._replies()
        yield "search.number", lambda turn: self._search(self._number(turn))
        yield "search.busy_number", lambda turn: self._search(BUSY)
        yield "search.name", lambda turn: self._search(f"invoices {turn + 1}")
        yield "search.name_in_dialog", lambda turn: self._search(f"invoices {turn + 1}", page=False)
        yield "search.one_word", lambda turn: self._search("invoices")
        yield "search.correlation_id", lambda turn: self._search(ours(turn))
        yield "search.provider_id", lambda turn: self._search(f"p-{self._place(turn)}")
        yield "search.reference", lambda turn: self._search(f"cust-{self._place(turn) // ECHOES}")
        yield "search.nothing", lambda turn: self._search(f"zebra{turn}")

    def _replies(self) -> Iterator[tuple[str, Callable[[int], Any]]]:
        from django.apps import apps
        from django.urls import NoReverseMatch

        try:
            at = self._at("replies")
        except NoReverseMatch:
            return
        found = apps.get_model("sms", "Conversation").objects.order_by("pk").values_list("pk", flat=True)
        busy, first = found[:2]
        yield "replies", lambda turn: self.client.get(at)
        yield "replies.all", lambda turn: self.client.get(f"{at}?show=all")
        yield (
            "conversation",
            lambda turn: self.client.get(self._at("reply", first + self._place(turn) % self.conversations)),
        )
        yield "conversation.busy", lambda turn: self.client.get(self._at("reply", busy))

    def _at(self, name: str, *given: Any) -> str:
        from django.urls import reverse

        return reverse(name, args=[self.shop.slug, *given])

    def _place(self, turn: int) -> int:
        """Of a message, spread over all of them."""
        return (turn + 1) * (self.rows // (TIMES + 3))

    def _number(self, turn: int) -> str:
        return f"+4477{self._place(turn) % (self.rows // OF_ONE_NUMBER):08d}"

    def _person(self, number: str) -> Any:
        from sms.values.msisdn.person_key import person_key

        return self.client.get(self._at("person_page", person_key(number, key=self.shop.number_key)))

    def _search(self, text: str, *, page: bool = True) -> Any:
        from sms.values.sealed_words import seal

        at = self._at("search")
        if not page:
            return self.client.post(at, {"q": text}, headers={"HX-Request": "true"})
        return self.client.get(at, {"for": seal(text, key=self.shop.number_key)})


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    print(json.dumps({"bench": f"people.{name}", "database": options.one, **figures}), flush=True)


if __name__ == "__main__":
    main()
