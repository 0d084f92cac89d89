"""A process that is killed takes its own along and nothing else: no orphan works on, and the web goes on with its other worker."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from sms.worker import supervisor, tied
from tests.support.processes import ROOT, environment, free_port, until


def ended(processes) -> bool:
    """A zombie has ended; only nobody has asked for its exit code yet."""
    return all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in processes)


def family(process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def listening(process, port: int) -> int:
    """How many of its workers take requests: one that has begun loads the product first."""
    return sum(
        any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in worker.net_connections())
        for worker in family(process)
        if not ended([worker])
    )


@contextlib.contextmanager
def web_with_two_workers(folder) -> Iterator[tuple[subprocess.Popen, str]]:
    port = free_port()
    env = environment(folder, f"sqlite:///{folder / 'none.sqlite3'}")
    with (folder / "web.log").open("wb") as out:
        web = subprocess.Popen(
            supervisor.web(port, workers=2).command,
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        until(lambda: answers(url) and listening(web, port) == 2, "two workers are there")
        yield web, url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(web.pid, signal.SIGKILL)
        web.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.once
def test_a_web_worker_that_is_killed_is_replaced_while_the_other_one_answers(tmp_path):
    with web_with_two_workers(tmp_path) as (web, url):
        victim, other = family(web)
        names = {" ".join(one.cmdline()).strip() for one in (victim, other)}
        assert names == {"textdesk web worker-1", "textdesk web worker-2"}
        victim.kill()
        until(lambda: not victim.is_running(), "it has ended, with the socket that was its own")
        assert [answers(url) for _ in range(40)] == [True] * 40
        until(
            lambda: len([one for one in family(web) if not ended([one])]) == 2,
            "there is a new one",
        )
        assert "Unexpected exit from worker" in (tmp_path / "web.log").read_text(), (
            "its server says which one ended"
        )
        assert web.poll() is None
        assert [answers(url) for _ in range(40)] == [True] * 40
        workers = family(web)
        web.kill()
        until(lambda: ended(workers), "no worker holds the port of a server that was killed")


@pytest.mark.once
def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    """SIGTERM, so that they finish what is in flight."""
    said = tmp_path / "said"
    child = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(said)!r}, 'w').write('asked'), sys.exit()))\n"
        "print('up', flush=True)\ntime.sleep(600)"
    )
    parent = (
        "import subprocess, sys, time\nsys.path.insert(0, '.')\nfrom sms.worker.tied import tied\n"
        f"subprocess.Popen(tied([sys.executable, '-c', {child!r}]))\ntime.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    children = family(process)
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: ended(children), "the child has ended")
    assert said.read_text() == "asked"


@pytest.mark.once
def test_a_child_whose_parent_was_gone_before_it_was_tied_does_not_begin(tmp_path):
    begun = tmp_path / "begun"
    program = [sys.executable, "-c", f"open({str(begun)!r}, 'w')"]
    command = tied.tied(program)
    command[command.index(str(os.getpid()))] = "1"
    assert subprocess.run(command).returncode == 1
    assert not begun.exists()
