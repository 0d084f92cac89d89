"""LOG_FORMAT=json: every line that a process of ours writes is JSON, from its first to its last, whatever goes wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from tests.support.processes import ROOT, environment, free_port, stop, textdesk, until


def objects(text: str) -> list[dict]:
    """Each line, parsed."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            raise AssertionError(f"no JSON: {line!r}") from None
    assert all({"event", "level", "timestamp"} <= set(one) for one in found), found
    return found


@pytest.fixture
def env(var_dir, prepared_database_url):
    return environment(var_dir, prepared_database_url) | {"LOG_FORMAT": "json", "DEBUG": "false"}


def ran(env: dict[str, str], *command: str) -> tuple[int, list[dict]]:
    """One that ends by itself."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, objects(done.stdout + done.stderr)


def ended(env: dict[str, str], folder, *command: str, ready) -> list[dict]:
    """One that works until SIGTERM, which comes when it is `ready`."""
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: ready(process, log.read_text()), f"{command[0]} is at work")
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return objects(log.read_text())


def listens(port: str) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=1):
        return True
    return False


def test_prepare_says_the_code_of_the_first_admin(env):
    code, said = ran(env, "prepare")
    assert code == 0
    assert any("The first admin is made at" in one["event"] for one in said)


def test_everything_that_up_starts(var_dir, prepared_database_url, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    with textdesk(var_dir, prepared_database_url) as running:
        (worker,) = [
            one
            for one in psutil.Process(running.process.pid).children(recursive=True)
            if "web worker" in " ".join(one.cmdline())
        ][:1]
        worker.kill()
        until(lambda: "Unexpected exit" in running.log.read_text(), "its server has seen that")
        audience = var_dir / "numbers.csv"
        audience.write_text("number\n07700900123\n")
        sent = running.send(audience, "--text", "Hi")
        assert sent
        assert stop(running.process)
        said = objects(running.log.read_text())
    events = [one["event"] for one in said]
    assert "Ctrl-C stops it." in events and "send_posted" in events


def test_a_process_of_its_own(env, tmp_path):
    assert ran(env, "prepare")[0] == 0
    port = str(free_port())
    at_work = {
        ("dispatch",): lambda _, said: "dispatcher_started" in said,
        ("qcluster",): lambda process, _: len(psutil.Process(process.pid).children(recursive=True)) > 3,
        ("web", "--port", port): lambda *_: listens(port),
    }
    for command, ready in at_work.items():
        ended(env, tmp_path, *command, ready=ready)


@pytest.mark.parametrize("command", ["prepare", "web", "qcluster", "dispatch", "nonsense", "up"])
def test_a_variable_that_is_wrong(command, env):
    code, said = ran(env | {"ACCESS_LOG": "perhaps"}, command)
    assert code != 0
    assert any("ACCESS_LOG" in one["event"] for one in said)


def test_a_command_that_there_is_not_and_an_option_that_there_is_not(env):
    assert ran(env, "nonsense")[0] != 0
    assert ran(env, "dispatch", "--nonsense")[0] != 0


@pytest.mark.parametrize("command", ["prepare", "up"])
def test_a_database_that_is_away_at_the_start(command, env):
    away = f"postgres://nobody:nothing@127.0.0.1:{free_port()}/none"
    code, said = ran(env | {"DATABASE_URL": away}, command)
    assert code != 0
    assert said
