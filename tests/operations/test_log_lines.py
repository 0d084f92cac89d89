"""What an operator reads in the log: one line for each step of a send, ids to follow, and nothing that is no JSON."""

import json
import logging
import os
import subprocess
import sys

import pytest
from django.test import Client
from django_q.tasks import async_task

from sms.models import Actor
from sms.sends import holds
from tests.environment import ROOT
from tests.support.logs import written_log
from tests.support.provider import Provider
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


def events(lines) -> list[dict]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_send_leaves_a_line_when_it_begins_is_held_goes_on_and_ends():
    send = a_send(a_service(), 3)
    with written_log("json") as lines:
        held = holds.hold(send, by=Actor.system(), because="to look at it")
        holds.lift(held, by=Actor.system())
        Provider().dispatch()
    said = [one for one in events(lines) if one["event"].startswith("send_")]
    assert [one["event"] for one in said] == ["send_held", "send_resumed", "send_began", "send_posted"]
    assert {one["send"] for one in said} == {send.pk}
    assert said[2]["recipients"] == 3
    assert said[3]["messages"] == {"queued": 3}
    assert said[3]["seconds"] >= 0


def test_a_line_of_a_request_has_its_id():
    with written_log("json") as lines:
        answer = Client().get("/api/v1/me")
    (line,) = [one for one in events(lines) if "Unauthorized" in one["event"]]
    assert line["request_id"] == answer["Request-Id"]


def test_a_line_of_a_task_has_its_id():
    service = a_service()
    a_send(service, 1)
    with written_log("json") as lines:
        name = async_task("sms.worker.tasks.work", sync=True)
    found = {one.get("task") for one in events(lines) if one["event"] == "send_began"}
    assert found == {name}


@pytest.mark.parametrize("part", ["pusher", "monitor"])
def test_a_part_of_the_cluster_that_starts_again_is_no_alarm(part):
    with written_log("json") as lines:
        logging.getLogger("django-q").critical("reincarnated %s Process-1:5 after sudden death", part)
        logging.getLogger("django-q").critical("reincarnated worker Process-1:2 after death")
    assert [one["level"] for one in events(lines)] == ["warning", "critical"]


FOREIGN = """
import multiprocessing, sys, threading, warnings
import django
django.setup()
def dies(): raise RuntimeError("in a child of +44 7700 900123")
if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=dies)
    child.start(); child.join()
    thread = threading.Thread(target=dies)
    thread.start(); thread.join()
    print("a line of a library", file=sys.stderr)
    dies()
"""


def test_json_logs_hold_no_other_lines(var_dir):
    of_process = os.environ | {"LOG_FORMAT": "json", "VAR_DIR": str(var_dir)}
    ended = subprocess.run(
        [sys.executable, "-c", FOREIGN], capture_output=True, text=True, cwd=ROOT, env=of_process, check=False
    )
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert len(said) == 4, ended.stderr
    assert sum("RuntimeError: in a child" in json.dumps(one) for one in said) == 3
    assert "900123" not in ended.stderr


def test_the_web_servers_own_lines_are_json_too(var_dir):
    """Before there is an application, and when one worker ends."""
    of_process = os.environ | {"LOG_FORMAT": "json", "VAR_DIR": str(var_dir)}
    command = "-m granian --log-config portal/granian_log.json --interface asginl --port 0 --log-level info nowhere:application"
    ended = subprocess.run(
        [sys.executable, *command.split()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=of_process,
        check=False,
        timeout=60,
    )
    lines = [*ended.stderr.splitlines(), *ended.stdout.splitlines()]
    assert lines
    for line in lines:
        json.loads(line)
