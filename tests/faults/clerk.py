"""The clerk: one process that keeps the records of an installation under fault: makes its sends, reads its rows, looks at its pages.

`python -m tests.faults.clerk` reads one JSON command a line from standard input and answers one a line. It lives while dispatchers
die around it, and it never dispatches. `Clerk` is its other end.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.reconciliation import Row

ROOT = Path(__file__).resolve().parents[2]


class Clerk:
    """The test's end. Every method is one question; the clerk's own failure is an AssertionError with its traceback."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.clerk"],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **given: Any) -> Any:
        """One command and its answer."""
        self.process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the clerk died at {do}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    def service(self, provider_url: str, *, batch: int = 1, rate: int | None = None) -> None:
        """A service of its own for each batch size, connected to `provider_url`; `rate` is messages a second."""
        self.ask("service", provider_url=provider_url, batch=batch, rate=rate)

    def send(self, text: str, count: int, *, batch: int = 1, start: int = 0) -> int:
        """A send of `count` messages that all say `text`; its id."""
        return int(self.ask("send", text=text, count=count, batch=batch, start=start))

    def rows(self, send: int) -> list[Row]:
        """Its messages."""
        return [Row(*values) for values in self.ask("rows", send=send)]

    def page(self, send: int) -> dict[str, int]:
        """The figures by state that the send's page shows."""
        return self.ask("page", send=send)

    def waiting_receipts(self) -> int:
        """Stored and not folded."""
        return int(self.ask("waiting"))

    def open_slices(self, send: int) -> int:
        """Slices of a send that are not done."""
        return int(self.ask("open_slices", send=send))

    def leased_by(self, pid: int) -> int:
        """Slices that bear the name of one process."""
        return int(self.ask("leased_by", pid=pid))

    def let_leases_run_out(self, *, of_pid: int = 0) -> int:
        """Move every lease (or those of one process) into the past, instead of waiting; returns how many there were."""
        return int(self.ask("age", of_pid=of_pid))

    def at_rest(self) -> bool:
        """Whether no other process is inside a transaction that could make us wait."""
        return bool(self.ask("at_rest"))

    def facts_differ(self) -> str:
        """The first difference between the facts of the reports and the ledger, "" where there is none."""
        return str(self.ask("facts"))

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


# --- The process ----------------------------------------------------------------------------------------------------------
def start() -> None:
    """The schema, and pages without collected files."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)


def service(provider_url: str, batch: int, rate: int | None) -> None:
    from portal.models import Membership, Role, User
    from sms.models import AuthKind, Region, Sender, SenderKind, Service

    person, _ = User.objects.get_or_create(email="ada@example.test")
    fields = {"base_url": provider_url, "auth_kind": AuthKind.KEY, "api_key": "a-key"}
    fields["secrets_origin"] = provider_url
    fields |= {
        "name": f"Batch {batch}",
        "region": Region.objects.get(key="uk"),
        "batch_size": batch,
        "rate": rate,
    }
    made, created = Service.objects.update_or_create(slug=f"batch-{batch}", defaults=fields)
    if created:
        Sender.objects.create(service=made, address="SHOP", kind=SenderKind.ALPHANUMERIC, is_default=True)
        Membership.objects.create(user=person, service=made, role=Role.ADMIN)


def send(text: str, count: int, batch: int, start: int) -> int:
    from sms.audiences.files import Limits, read_pasted
    from sms.compose import background
    from sms.compose.create import create
    from sms.compose.order import Order
    from sms.models import Actor, Service

    shop = Service.objects.get(slug=f"batch-{batch}")
    numbers = "\n".join(f"+44771{start + index:07d}" for index in range(count))
    order = Order(
        service=shop,
        sender=shop.senders.get(),
        audience=read_pasted(numbers, country="GB", limits=Limits()),
        content=text,
    )
    by = Actor(kind="user", key="1", label="ada@example.test", door="page")
    made = create(order, by=by).pk
    background.run(stopped=lambda: False)  # a large one is wanted with its messages
    return made


def rows(send: int) -> list[tuple]:
    from sms.models import Message

    fields = ("id", "msisdn", "state", "attempt", "code")
    return list(Message.objects.filter(send=send).order_by("id").values_list(*fields))


def page(send: int) -> dict[str, int]:
    """What a person reads: the page's own HTML, by the labels it shows."""
    from django.test import Client
    from django.urls import reverse

    from portal.models import User
    from sms.models import MessageState, Send

    slug = Send.objects.values_list("service__slug", flat=True).get(pk=send)
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(User.objects.get())
    answer = browser.get(reverse("send_progress", args=[slug, send]), secure=False)
    html = answer.content.decode()
    assert answer.status_code == 200, html[:300]
    announced = re.search(r'data-announce="([^"]*)"', html)
    assert announced, html[:300]
    named = {label: value for value, label in MessageState.choices}
    figures = [part.partition(" ") for part in announced[1].split(", ") if part]
    return {named[label]: int(count.replace(",", "")) for count, _, label in figures}


def waiting() -> int:
    """In the inbox, or a file of the spool: while the database was away they went there."""
    from sms.inbound.receipts import spool
    from sms.models import ReceiptInbox

    return ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW).count() + spool.waiting()[0]


def open_slices(send: int) -> int:
    from sms.models import Slice

    return Slice.objects.filter(send=send, done=False).count()


def leased_by(pid: int) -> int:
    from sms.models import Slice

    return Slice.objects.filter(owner__startswith=f"{pid}-").count()


def age(of_pid: int) -> int:
    from datetime import timedelta

    from django.utils import timezone

    from sms.models import Slice

    held = Slice.objects.filter(leased_until__isnull=False)
    if of_pid:
        held = held.filter(owner__startswith=f"{of_pid}-")
    return held.update(leased_until=timezone.now() - timedelta(minutes=10))


def at_rest() -> bool:
    from django.db import OperationalError, connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
                " AND backend_type = 'client backend'"  # autovacuum holds none of our locks
            )
            return cursor.fetchone()[0] == 0
        cursor.execute("PRAGMA busy_timeout = 100")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except OperationalError:
            return False
        finally:
            cursor.execute("PRAGMA busy_timeout = 20000")
        return True


def states(send: int) -> dict[str, int]:
    from sms.models import Send

    return Send.objects.get(pk=send).counts()


def cancel(send: int) -> float:
    """Like the other acts: the moment at which it was committed, in epoch seconds."""
    from sms.models import Actor, Send
    from sms.sends.cancel import cancel as cancel_send

    cancel_send(Send.objects.get(pk=send), by=Actor.system("cli"))
    return time.time()


def hold_send(send: int) -> float:
    from sms.models import Actor, Send
    from sms.sends import holds

    holds.hold(Send.objects.get(pk=send), by=Actor.system("cli"), because="a test")
    return time.time()


def hold_sender(send: int) -> float:
    from sms.models import Actor, Send
    from sms.sends import holds

    holds.hold(Send.objects.get(pk=send).sender, by=Actor.system("cli"), because="a test")
    return time.time()


def pause_service(send: int) -> float:
    from sms.models import Actor, Send
    from sms.sends import control

    control.pause_everything(Send.objects.get(pk=send).service, by=Actor.system("cli"), because="a test")
    return time.time()


def let_go(send: int) -> None:
    """Undo every pause and hold of its service."""
    from sms.models import Actor, Hold, Send
    from sms.sends import control, holds

    service = Send.objects.get(pk=send).service
    for held in Hold.objects.active().filter(service=service):
        holds.lift(held, by=Actor.system("cli"))
    control.resume_service(service, by=Actor.system("cli"))


def foretold(count: int) -> dict[str, float]:
    """A send of so many made now: the moment (epoch), and after how many seconds its flight plan says that it ends."""
    from django.utils import timezone

    from sms.audiences.files import Limits, read_pasted
    from sms.compose.create import create
    from sms.compose.order import Order
    from sms.models import Actor, Service
    from sms.sends import plan

    shop = Service.objects.get(slug="batch-1")
    numbers = "\n".join(f"+44771{index:07d}" for index in range(count))
    audience = read_pasted(numbers, country="GB", limits=Limits())
    order = Order(service=shop, sender=shop.senders.get(), audience=audience, content="Foretold.")
    now = timezone.now()
    made = plan.build_plan(order, now=now, public_url="https://desk.example.test")
    create(order, by=Actor.system("cli"))
    assert made.finish_at is not None
    return {"begun": now.timestamp(), "seconds": (made.finish_at - now).total_seconds()}


def urgent(text: str, start: int) -> float:
    """One message in the urgent lane; the moment at which it was committed."""
    from sms.audiences.files import Limits, read_pasted
    from sms.compose.create import create
    from sms.compose.order import Order
    from sms.models import Actor, Lane, Service

    shop = Service.objects.get(slug="batch-1")
    audience = read_pasted(f"+44771{start:07d}", country="GB", limits=Limits())
    order = Order(service=shop, sender=shop.senders.get(), audience=audience, content=text, lane=Lane.URGENT)
    create(order, by=Actor.system("cli"))
    return time.time()


def history(rows: int) -> None:
    """So many delivered messages of finished sends, made by PostgreSQL itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM sms_send")
        (model,) = cursor.fetchone()
        for done in range(0, rows, 500_000):
            cursor.execute(
                "INSERT INTO sms_message (send_id, msisdn, row, text, substitutions, zone, segments, state, attempt, code,"
                " detail, provider_id, carrier, country, resent, posted_at, queued_at, submitted_at, final_at)"
                " SELECT %s, '+4477' || lpad((n %% 100000000)::text, 8, '0'), n, 'An old message of the usual length.', '{}', '',"
                " 1, 'delivered', 1, '7500', '', md5(n::text), '', 'GB', 0, now(), now(), now(), now()"
                " FROM generate_series(%s, %s) AS n",
                [model, done + 1, min(done + 500_000, rows)],
            )
        cursor.execute("ANALYZE sms_message")


def facts_differ() -> str:
    """Whoever folds just now is waited for; a killed one has the duty until its lease has run out."""
    from sms.models.lease import LEASE
    from sms.reports import facts

    for _ in range(int(LEASE * 2) + 140):
        try:
            return str(facts.compare()[1] or "")
        except facts.Busy:
            time.sleep(0.5)
    return f"Somebody has been folding for longer than {LEASE:.0f} seconds."


COMMANDS = {
    "facts": facts_differ,
    "cancel": cancel,
    "hold_send": hold_send,
    "hold_sender": hold_sender,
    "pause_service": pause_service,
    "let_go": let_go,
    "foretold": foretold,
    "urgent": urgent,
    "history": history,
    "states": states,
    "service": service,
    "send": send,
    "rows": rows,
    "page": page,
    "waiting": waiting,
    "open_slices": open_slices,
    "leased_by": leased_by,
    "age": age,
    "at_rest": at_rest,
    "ready": lambda: True,
}


def main() -> None:
    """Answer until standard input ends."""
    import traceback

    from django.db import close_old_connections

    start()
    for line in sys.stdin:
        given = json.loads(line)
        try:
            close_old_connections()
            answer = {"answer": COMMANDS[given.pop("do")](**given)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
