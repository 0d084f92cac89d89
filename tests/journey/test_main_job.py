"""The main job on real processes: a file goes in, texts go out, receipts come back, and both books agree row by row."""

import time
import urllib.error
import urllib.request
from collections import Counter

import pytest

from tests.audience.office_file import build
from tests.journey.processes import desk, free_port, stop

pytestmark = [pytest.mark.journey]


@pytest.fixture
def running(var_dir, prepared_database_url):
    with desk(var_dir, prepared_database_url) as up:
        yield up


def test_a_file_becomes_texts_receipts_and_a_report_and_both_books_agree(running, tmp_path):
    lines = ["Mobile number;name;order"]
    lines += [
        f"07700 900{last};Person {last};{last}"
        for last in ("001", "002", "003", "004", "006", "008", "009", "010", "012")
    ]
    lines += [f"0044 (0)7712 {index:06d};Ada;{index}" for index in range(200)]
    lines += ["07700 900001;Twice;1", "nonsense;Nobody;2", ";;", "07712 999999;;3"]
    audience = tmp_path / "office.csv"
    audience.write_bytes("\r\n".join(lines).encode("utf-16"))

    result = running.send(audience, "--template", "order_shipped")

    assert (result["recipients"], result["rejected"]) == (209, 3)
    mine = running.rows(
        f"Message.objects.filter(send={result['send']}).values('id','msisdn','state','code','attempt','text')"
    )
    assert Counter(row["state"] for row in mine) == Counter(result["states"])
    by_number = {row["msisdn"]: row for row in mine}
    assert (by_number["+447700900001"]["state"], by_number["+447700900001"]["code"]) == ("delivered", "7500")
    assert (by_number["+447700900002"]["state"], by_number["+447700900002"]["code"]) == ("failed", "7203")
    assert (by_number["+447700900003"]["state"], by_number["+447700900003"]["code"]) == ("failed", "7208")
    assert by_number["+447700900006"]["state"] == "delivered"
    assert by_number["+447700900008"]["state"] == "delivered"
    assert by_number["+447700900009"]["state"] == "delivered", "a broken connection is settled by its receipt"
    assert by_number["+447700900010"]["code"] == "9002"
    assert by_number["+447700900012"]["code"] == "7201"

    theirs = [row for row in running.sandbox_log() if row.get("kind") == "message"]
    assert len(theirs) == 209, "each message reached the provider exactly once"
    for row in theirs:
        ours = by_number["+" + row["msisdn"].lstrip("+")]
        assert row["text"] == ours["text"]
        assert row["correlationId"].startswith(f"{_base36(ours['id'])}-{ours['attempt']}-")

    rejects = running.rows(f"Reject.objects.filter(send={result['send']}).values('row','code')")
    assert {(row["row"], row["code"]) for row in rejects} == {
        (211, "duplicate"),
        (212, rejects[1]["code"]),
        (214, "missing_value"),
    }


def test_ten_thousand_rows_of_an_office_file_end_final_and_both_books_agree_row_by_row(running, tmp_path):
    content, expected = build(10_000, seed=7, flavour="csv-semicolon-utf16", long_cell=2_500_000)
    audience = tmp_path / "customers.csv"
    audience.write_bytes(content)

    result = running.send(audience, "--text", "Hi $(Order), it is on its way.", timeout=280)

    rejects = running.rows(f"Reject.objects.filter(send={result['send']}).values('row','code')")
    mine = running.rows(
        f"Message.objects.filter(send={result['send']}).values('id','row','msisdn','state','code','text')"
    )
    assert (
        result["recipients"] + result["rejected"]
        == len(expected.recipients) + len(expected.rejects)
        == 10_000
    )
    assert {row["row"]: row["code"] for row in rejects} == expected.rejects
    assert {row["row"]: row["msisdn"] for row in mine} == expected.recipients
    assert {row["state"] for row in mine} <= {"delivered", "failed"}, result["states"]

    log = running.sandbox_log()
    theirs = {"+" + row["msisdn"].lstrip("+"): row for row in log if row["kind"] == "message"}
    assert len(theirs) == len([row for row in log if row["kind"] == "message"]) == len(mine), (
        "each exactly once"
    )
    finals: dict[str, set[str]] = {}
    for row in log:
        if row["kind"] == "receipt" and row["status"] in ("Delivered", "Un-Delivered", "Failed"):
            finals.setdefault(row["correlationId"], set()).add(row["code"])
    for row in mine:
        told = theirs[row["msisdn"]]
        assert told["text"] == row["text"]
        assert row["code"] in finals[told["correlationId"]], row


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def test_a_send_for_later_goes_out_at_its_time_by_the_schedule_alone(running, tmp_path):
    audience = tmp_path / "one.csv"
    audience.write_text("number\n07712000001\n")
    from datetime import UTC, datetime, timedelta

    due = datetime.now(UTC) + timedelta(seconds=8)
    running.manage(
        "send",
        "--service",
        "demo",
        "--sender",
        "TEXTDESK",
        "--text",
        "Later",
        "--audience",
        str(audience),
        "--at",
        due.isoformat(),
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        (row,) = running.rows("Message.objects.values('state','posted_at')")
        if row["state"] == "delivered":
            break
        time.sleep(1)
    assert row["state"] == "delivered"
    posted = datetime.fromisoformat(row["posted_at"])
    assert timedelta(0) <= posted - due < timedelta(seconds=2)


def test_only_sign_in_and_health_answer_a_stranger(running):
    with urllib.request.urlopen(f"{running.url}/healthz", timeout=5) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{running.url}/s/demo/", timeout=5) as answer:
        assert "/accounts/login/" in answer.url
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{running.url}/receipts/nobody/", timeout=5)
    assert caught.value.code in (404, 405)
    caught.value.close()


def test_ctrl_c_stops_everything_within_five_seconds_and_a_second_start_keeps_the_data(
    var_dir, fresh_database_url, tmp_path
):
    audience = tmp_path / "some.csv"
    audience.write_text("number\n" + "\n".join(f"0771200{index:04d}" for index in range(50)))
    with desk(var_dir, fresh_database_url) as first:
        first.send(audience, "--text", "Hello")
        children = _children_of(first.process.pid)
        assert len(children) >= 3
        assert stop(first.process) < 5
        assert not [pid for pid in children if _alive(pid)]
    with desk(var_dir, fresh_database_url, ready=30) as second:
        assert second.rows("Send.objects.values('recipients')") == [{"recipients": 50}]


def test_what_became_due_while_nothing_ran_goes_out_after_a_restart(var_dir, prepared_database_url, tmp_path):
    from datetime import UTC, datetime, timedelta

    audience = tmp_path / "one.csv"
    audience.write_text("number\n07712000001\n")
    with desk(var_dir, prepared_database_url) as first:
        due = datetime.now(UTC) + timedelta(seconds=20)
        options = (
            "--sender",
            "TEXTDESK",
            "--text",
            "Later",
            "--audience",
            str(audience),
            "--at",
            due.isoformat(),
        )
        first.manage("send", "--service", "demo", *options)
    assert first.rows("Message.objects.values('state')") == [{"state": "pending"}]
    time.sleep(max((due - datetime.now(UTC)).total_seconds(), 0) + 1)
    with desk(var_dir, prepared_database_url) as second:
        deadline = time.monotonic() + 120  # asking takes seconds on a busy machine
        while second.rows("Message.objects.values('state')") != [{"state": "delivered"}]:
            assert time.monotonic() < deadline, "it was due before the restart and did not go out"
            time.sleep(1)


@pytest.mark.sqlite  # a port has nothing to do with the database
def test_a_busy_port_is_one_sentence(var_dir, prepared_database_url):
    import subprocess
    import sys

    from tests.journey.processes import ROOT, environment

    with desk(var_dir, prepared_database_url) as up:
        again = subprocess.run(
            [
                sys.executable,
                "manage.py",
                "up",
                "--demo",
                "--port",
                str(up.port),
                "--sandbox-port",
                str(free_port()),
            ],
            cwd=ROOT,
            env=environment(var_dir, prepared_database_url),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert again.returncode != 0
    assert f"Port {up.port} is busy" in again.stderr
    assert "Traceback" not in again.stderr


def _children_of(pid: int) -> list[int]:
    from pathlib import Path

    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        below = [child for child, its in parents.items() if its == parent]
        found += below
        todo += below
    return found


def _alive(pid: int) -> bool:
    from pathlib import Path

    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
