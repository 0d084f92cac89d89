"""Dispatching processes that freeze, are told to stop, lose their queue or their database: real processes, and the provider's own log."""

import contextlib
import json
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults import proxy
from tests.support import databases
from tests.support.dispatchers import bench
from tests.support.freezing import freeze_group
from tests.support.processes import Textdesk, stop, textdesk

PATIENCE = 120  # seconds for what a machine with nothing else to do does in a few


@pytest.fixture(scope="module")
def one_bench(migrated_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    with (
        databases.copied(migrated_database_url, folder) as url,
        bench(folder, url, "--fault", "slow=150") as made,
        databases.kept(url) as restore,
    ):

        def begin_anew() -> None:
            restore()
            for path in folder.rglob("epoch.json"):  # it would rightly be taken for a restored backup
                path.unlink()

        yield made, begin_anew


@pytest.fixture
def idle_bench(one_bench):
    """As if it had just been made: nothing was sent, and nobody has reported."""
    made, begin_anew = one_bench
    made.log.write_bytes(b"")
    yield made
    made.end()
    made.forget_at_provider()
    begin_anew()


@pytest.fixture(scope="module")
def desks(migrated_database_url, tmp_path_factory):
    """Desks whose supervisor loses patience soon, one after the other: the last is given again while it runs."""
    with ExitStack() as stack:
        running: list[Textdesk] = []

        def give() -> Textdesk:
            if not running or running[-1].process.poll() is not None:
                folder = tmp_path_factory.mktemp("textdesk")
                url = stack.enter_context(databases.copied(migrated_database_url, folder))
                running.append(stack.enter_context(textdesk(folder, url, "--patience", "6")))
            running[-1].forget_at_provider()
            return running[-1]

        yield give


def an_audience(folder: Path, count: int) -> Path:
    path = folder / "numbers.csv"
    path.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(count)))
    return path


def send(running: Textdesk, audience: Path) -> None:
    running.manage(
        *("send", "--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
    )


def arrived(running: Textdesk) -> list[str]:
    return [row["msisdn"] for row in running.sandbox_log() if row["kind"] == "message"]


def until(true: Callable[[], bool], *, what: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what} took more than {PATIENCE} s\n{log.read_text()[-3000:]}"
        time.sleep(0.1)


def states(running: Textdesk) -> Counter[str]:
    return Counter(row["state"] for row in running.rows("Message.objects.values('state')"))


def cluster_of(running: Textdesk) -> int:
    """The process group of its cluster; waits for it where it is being started again."""
    found: list[int] = []

    def there() -> bool:
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == running.process.pid and b"qcluster" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return bool(found)

    until(there, what="a cluster", log=running.log)
    return found[0]


def children(pid: int) -> list[int]:
    """In the order of their start."""
    return sorted(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def family(cluster: int) -> list[int]:
    """What its guard guards: the workers, then django-q2's monitor and pusher."""
    return [pid for guard in children(cluster) for pid in children(guard)]


def alive_in(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def freeze_between_writes(group: int, database_url: str) -> None:
    """SIGSTOP, but not in the middle of a write: SQLite's one lock would be frozen with it, and nobody could even make a send."""
    path = database_url.removeprefix("sqlite:///")
    while True:
        freeze_group(group)
        if path == database_url:
            return
        with contextlib.closing(sqlite3.connect(path, timeout=0.3, isolation_level=None)) as link:
            try:
                link.execute("BEGIN IMMEDIATE")
                link.execute("ROLLBACK")
                return
            except sqlite3.OperationalError:
                os.killpg(group, signal.SIGCONT)
                time.sleep(0.1)


def test_a_cluster_that_lost_its_idle_workers_sends_all_the_same(desks, tmp_path):
    running = desks()
    cluster = cluster_of(running)
    until(lambda: len(family(cluster)) >= 5, what="the workers", log=running.log)
    time.sleep(1.5)  # until the wake-up of the start is done with
    for worker in family(cluster)[:3]:  # a worker that dies idle takes the queue's lock with it
        os.kill(worker, signal.SIGKILL)
    send(running, an_audience(tmp_path, 100))

    until(lambda: len(arrived(running)) >= 100, what="the send", log=running.log)
    assert set(Counter(arrived(running)).values()) == {1}
    until(lambda: states(running) == {"delivered": 100}, what="the receipts", log=running.log)


def test_a_frozen_cluster_is_restarted_as_a_whole_and_the_send_completes(desks, tmp_path):
    running = desks()
    said, frozen = len(running.log.read_text()), cluster_of(running)
    freeze_between_writes(frozen, running.env["DATABASE_URL"])
    send(running, an_audience(tmp_path, 200))
    assert arrived(running) == []

    until(lambda: len(arrived(running)) >= 200, what="the send", log=running.log)

    news = running.log.read_text()[said:]
    assert "The cluster is started again as a whole: it has shown no sign of life" in news
    assert not alive_in(frozen), "its workers went with it"
    again = cluster_of(running)
    assert again != frozen
    assert set(Counter(arrived(running)).values()) == {1}

    freeze_between_writes(again, running.env["DATABASE_URL"])
    assert stop(running.process), "a frozen cluster does not hold up Ctrl-C"
    until(lambda: not alive_in(again), what="the end of its workers", log=running.log)


def test_sigterm_in_the_middle_of_a_send_ends_clean_and_the_next_dispatcher_goes_on(idle_bench, tmp_path):
    idle_bench.run("from sms.models import Service; Service.objects.update(rate=200)")
    send(idle_bench, an_audience(tmp_path, 500))
    first = idle_bench.dispatcher()
    until(lambda: len(arrived(idle_bench)) > 60, what="the start", log=idle_bench.log)

    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=PATIENCE) == 0, idle_bench.log.read_text()

    taken, books = arrived(idle_bench), states(idle_bench)
    assert len(taken) < 500, "it was stopped before the end"
    assert books == {"queued": len(taken), "pending": 500 - len(taken)}, "whatever left has its answer"
    log = idle_bench.log.read_text()
    assert log.count("dispatcher_started") == log.count("dispatcher_stopped") == 1
    assert idle_bench.rows("Heartbeat.objects.values('pid')") == [], "who ends in order leaves no row"

    second, third = idle_bench.dispatcher(), idle_bench.dispatcher("--seconds", "25")
    until(lambda: len(arrived(idle_bench)) >= 500, what="the rest", log=idle_bench.log)
    for process in (second, third):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    assert set(Counter(arrived(idle_bench)).values()) == {1}
    assert states(idle_bench) == {"queued": 500}


EMPTY_THE_QUEUE = """
import sys, time
from django_q.models import OrmQ, Schedule, Task
until = time.monotonic() + float(%r)
while time.monotonic() < until:
    print(sum(model.objects.all().delete()[0] for model in (OrmQ, Schedule, Task)), flush=True)
    time.sleep(1.0)
"""


def test_a_queue_that_is_emptied_again_and_again_stops_nothing(var_dir, prepared_database_url, tmp_path):
    with textdesk(var_dir, prepared_database_url) as running:
        running.manage(
            "shell", "--no-imports", "-c", "from sms.models import Service; Service.objects.update(rate=100)"
        )
        emptier = threading.Thread(
            target=running.manage, args=("shell", "--no-imports", "-c", EMPTY_THE_QUEUE % 16)
        )
        emptier.start()
        send(running, an_audience(tmp_path, 1000))
        until(lambda: len(arrived(running)) >= 1000, what="the send", log=running.log)
        emptier.join()
        copies = Counter(arrived(running))
        figure = {"fault": "queue_emptied_every_second", "messages": len(copies)}
        print(json.dumps(figure | {"sent_twice": sum(count > 1 for count in copies.values())}))
        assert set(copies.values()) == {1}

        left = "from django_q.models import Schedule; print(Schedule.objects.filter(name='tick').count())"
        until(
            lambda: running.manage("shell", "--no-imports", "-c", left).stdout.strip().endswith("1"),
            what="the schedule's return",
            log=running.log,
        )
        until(lambda: states(running) == {"delivered": 1000}, what="the receipts", log=running.log)


TWICE = """
from sms.worker import tasks
for task in (tasks.work, tasks.tick, tasks.work, tasks.tick):
    task()
for _ in range(2):
    tasks.fold()
"""


def test_every_task_twice_and_in_two_processes_at_once_sends_each_message_once(idle_bench, tmp_path):
    send(idle_bench, an_audience(tmp_path, 120))
    errors: list[BaseException] = []

    def run() -> None:
        try:
            idle_bench.run(TWICE)
        except BaseException as problem:
            errors.append(problem)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Counter(arrived(idle_bench)).total() == len(set(arrived(idle_bench))) == 120
    assert states(idle_bench) == {"queued": 120}


@pytest.mark.postgresql
def test_a_database_that_goes_away_and_comes_back_is_waited_for(var_dir, prepared_database_url, tmp_path):
    address = urlsplit(prepared_database_url)
    with ExitStack() as stack:
        between = stack.enter_context(proxy.running(address.port or 5432))
        made = stack.enter_context(bench(var_dir, prepared_database_url))
        through = address._replace(
            netloc=f"{address.username}:{address.password}@127.0.0.1:{between.port}"
        ).geturl()
        direct = dict(made.env)
        made.env["DATABASE_URL"] = through
        dispatcher = made.dispatcher()
        made.env = direct
        until(lambda: "dispatcher_started" in made.log.read_text(), what="start", log=made.log)
        time.sleep(0.5)

        between.cut()
        send(made, an_audience(tmp_path, 50))
        until(lambda: "does not answer" in made.log.read_text(), what="a word", log=made.log)
        time.sleep(3)
        assert arrived(made) == []
        between.restore()

        until(lambda: len(arrived(made)) >= 50, what="the send", log=made.log)
        dispatcher.send_signal(signal.SIGTERM)
        assert dispatcher.wait(timeout=PATIENCE) == 0
        sending = [line for line in made.log.read_text().splitlines() if "loop=sending" in line]
        waits = [line for line in sending if "does not answer" in line]
        assert len(waits) == 1, "said once, however often it was tried"
        assert any("jobs_go_on" in line for line in sending)
        assert states(made) == {"queued": 50}


def test_sigterm_to_the_cluster_drains_what_is_in_flight(idle_bench, tmp_path):
    idle_bench.run("from sms.models import Service; Service.objects.update(rate=100)")
    send(idle_bench, an_audience(tmp_path, 400))
    cluster = idle_bench.cluster()
    until(lambda: len(arrived(idle_bench)) > 40, what="the start", log=idle_bench.log)

    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(timeout=PATIENCE) == 0, idle_bench.log.read_text()

    assert not alive_in(cluster.pid), "no orphan goes on working"
    taken = arrived(idle_bench)
    assert len(taken) < 400
    assert states(idle_bench) == {"queued": len(taken), "pending": 400 - len(taken)}
    assert set(Counter(taken).values()) == {1}


def test_a_cluster_whose_guard_was_killed_ends_with_its_orphans(idle_bench):
    cluster = idle_bench.cluster()
    beats = "Heartbeat.objects.values('pid')"
    until(lambda: bool(idle_bench.rows(beats)), what="the first beat", log=idle_bench.log)
    children = Path(f"/proc/{cluster.pid}/task/{cluster.pid}/children").read_text().split()
    guard = next(int(pid) for pid in children if Path(f"/proc/{pid}/task/{pid}/children").read_text().strip())

    os.kill(guard, signal.SIGKILL)

    assert cluster.wait(timeout=PATIENCE) == 1
    until(lambda: not alive_in(cluster.pid), what="the orphans' end", log=idle_bench.log)
    assert "guard died" in idle_bench.log.read_text()


def test_what_a_cluster_started_ends_with_it_when_it_is_killed(idle_bench):
    cluster = idle_bench.cluster()
    until(lambda: len(family(cluster.pid)) >= 5, what="the start", log=idle_bench.log)

    cluster.kill()
    cluster.wait()

    until(lambda: not alive_in(cluster.pid), what="the end of its guard and workers", log=idle_bench.log)


def test_readiness_says_that_no_process_sends(idle_bench, tmp_path):
    send(idle_bench, an_audience(tmp_path, 1))
    idle_bench.run(
        "from datetime import timedelta; from django.db.models.functions import Now; from sms.models import Slice; "
        "Slice.objects.update(due_at=Now() - timedelta(seconds=35))"
    )
    code = (
        "import json; from django.test import Client; "
        "answer = Client().get('/readyz', headers={'host': '127.0.0.1'}); print(answer.status_code, answer.content.decode())"
    )
    said = idle_bench.run(code).stdout
    assert "200" in said
    assert "Nothing is being sent: no dispatcher has reported yet." in said
    dispatcher = idle_bench.dispatcher()
    until(lambda: len(arrived(idle_bench)) == 1, what="the message", log=idle_bench.log)
    assert '"dispatch": "ok"' in idle_bench.run(code).stdout
    dispatcher.terminate()
    assert dispatcher.wait(timeout=PATIENCE) == 0
