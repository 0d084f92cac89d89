"""The main job on real processes: a file goes in, texts go out, receipts come back, and both records agree row by row."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.office_file import build
from tests.support.processes import ROOT, Textdesk, free_port, stop, textdesk


def posted(log: list[dict], mine: list[dict]) -> list[dict]:
    """Everything that reached the provider for these messages: what another journey left may still go out meanwhile."""
    ours = {_base36(one["id"]) for one in mine}
    return [row for row in log if row["kind"] == "message" and row["correlationId"].partition("-")[0] in ours]


def test_a_file_becomes_texts_receipts_and_a_report_and_both_records_agree(running, tmp_path):
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

    theirs = posted(running.sandbox_log(), mine)
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


def test_ten_thousand_rows_of_an_office_file_end_final_and_both_records_agree_row_by_row(running, tmp_path):
    content, expected = build(10_000, seed=7, flavour="csv-semicolon-utf16", long_cell=2_500_000)
    audience = tmp_path / "customers.csv"
    audience.write_bytes(content)

    result = running.send(audience, "--text", "Hi $(Order), it is on its way.")

    assert result["state"] != "preparing", "nothing moved for longer than the command waits"
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
    arrived = posted(log, mine)
    theirs = {"+" + row["msisdn"].lstrip("+"): row for row in arrived}
    assert len(theirs) == len(arrived) == len(mine), "each exactly once"
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
    due = datetime.now(UTC) + timedelta(seconds=8)
    later(running, audience, due)
    mine = "Message.objects.filter(send__text='In an hour').values('state','posted_at')"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        (row,) = running.rows(mine)
        if row["state"] == "delivered":
            break
        time.sleep(0.2)
    assert row["state"] == "delivered"
    assert datetime.fromisoformat(row["posted_at"]) >= due  # how soon after it is the machine's affair


def later(running: Textdesk, audience: Path, due: datetime) -> None:
    """A send for a time to come."""
    running.manage(
        *("send", "--service", "demo", "--sender", "TEXTDESK", "--text", "In an hour"),
        *("--audience", str(audience), "--at", due.isoformat()),
    )


def test_only_sign_in_and_health_answer_a_stranger(running):
    with urllib.request.urlopen(f"{running.url}/healthz", timeout=60) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{running.url}/s/demo/", timeout=60) as answer:
        assert "/accounts/login/" in answer.url
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{running.url}/receipts/nobody/", timeout=60)
    assert caught.value.code in (404, 405)
    caught.value.close()


def test_ctrl_c_stops_everything_within_five_seconds_and_a_second_start_goes_on(
    var_dir, fresh_database_url, tmp_path
):
    """From an empty database to a second start, which keeps the data and sends what became due while nothing ran."""
    audience, one = tmp_path / "some.csv", tmp_path / "one.csv"
    audience.write_text("number\n" + "\n".join(f"0771200{index:04d}" for index in range(50)))
    one.write_text("number\n07712000001\n")
    last = "Message.objects.filter(send__text='In an hour').values('state')"
    with textdesk(var_dir, fresh_database_url) as first:
        first.send(audience, "--text", "Hello")
        later(first, one, datetime.now(UTC) + timedelta(hours=1))
        children = _children_of(first.process.pid)
        assert len(children) >= 3
        assert stop(first.process)
        assert not [pid for pid in children if _alive(pid)]
        assert first.rows(last) == [{"state": "pending"}]
        first.manage("shell", "--no-imports", "-c", THE_HOUR_HAS_PASSED)
    with textdesk(var_dir, fresh_database_url) as second:
        assert second.rows("Send.objects.order_by('pk').values('recipients')") == [
            {"recipients": 50},
            {"recipients": 1},
        ]
        deadline = time.monotonic() + 120
        while second.rows(last) != [{"state": "delivered"}]:
            assert time.monotonic() < deadline, "it was due before the restart and did not go out"
            time.sleep(0.2)


THE_HOUR_HAS_PASSED = """
from django.utils import timezone
from sms.models import Send, Slice
now = timezone.now()
assert Send.objects.filter(text="In an hour").update(due_at=now) == 1
assert Slice.objects.filter(send__text="In an hour").update(due_at=now) == 1
"""


@pytest.mark.sqlite  # a port has nothing to do with the database
def test_a_busy_port_is_one_sentence(running):
    again = subprocess.run(
        [
            *(sys.executable, "manage.py", "up", "--demo", "--port", str(running.port)),
            *("--sandbox-port", str(free_port())),
        ],
        cwd=ROOT,
        env=running.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode != 0
    assert f"Port {running.port} is busy" in again.stderr
    assert "Traceback" not in again.stderr


def _children_of(pid: int) -> list[int]:
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
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
