"""A backup is made in mid-send and restored after the send has ended: nothing of it goes out a second time, and nothing is forgotten.

Real processes, and the provider's own log. What each step does is in `tests/sends/test_after_restore.py`.
"""

import os
import signal
from collections import Counter

import pytest

from tests.support import backups, databases
from tests.support.dispatchers import bench
from tests.support.freezing import freeze_group
from tests.support.processes import stop, until
from tests.support.restoring import COUNT, NOT_EXPORTED, RESUME, arrived, export_of, states


@pytest.fixture
def made(migrated_database_url, tmp_path):
    with (
        databases.copied(migrated_database_url, tmp_path) as url,
        bench(tmp_path, url) as made,
    ):
        yield made


def test_a_restored_backup_sends_nothing_twice_and_forgets_nothing(made, tmp_path):
    audience = tmp_path / "numbers.csv"
    audience.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(COUNT)))
    made.manage(
        *("send", "--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
    )
    url = made.env["DATABASE_URL"]
    made.run("from sms.models import Service; Service.objects.update(rate=20)")
    first = made.dispatcher()
    until(lambda: len(arrived(made)) > COUNT // 8, what="it is in the middle of the send")
    freeze_group(first.pid)  # however busy the machine is, it is still in the middle then
    kept = backups.back_up(url, tmp_path)
    os.killpg(first.pid, signal.SIGCONT)
    until(lambda: len(arrived(made)) == COUNT, what="the send has ended")
    assert stop(first)

    backups.restore(url, kept)
    assert states(made)["pending"] > 0, "the backup was made in mid-send"
    made.dispatcher("--seconds", "3").wait()  # by habit
    assert len(arrived(made)) == COUNT, "a dispatcher sent what the backup calls pending"
    refused = made.manage("shell", "--no-imports", "-c", RESUME, check=False)
    assert "NotAfterRestore" in refused.stderr

    exported = export_of(arrived(made)[:-NOT_EXPORTED], tmp_path / "export.csv")
    done = made.manage("after_restore", "--service", "demo", "--export", str(exported))
    assert f"{NOT_EXPORTED} messages are unconfirmed now" in done.stdout
    assert states(made) == {"delivered": COUNT - NOT_EXPORTED, "unconfirmed": NOT_EXPORTED}
    made.run(RESUME)
    made.run("from sms import dispatch; dispatch.run(public_url='http://127.0.0.1', seconds=5)")
    late = export_of(arrived(made), tmp_path / "late.csv")
    made.manage("import_receipts", str(late), "--service", "demo")
    made.run("from sms.inbound import receipts; receipts.fold()")
    assert states(made) == {"delivered": COUNT}, "nothing is lost"
    assert max(Counter(one["msisdn"] for one in arrived(made)).values()) == 1, "nothing went out twice"
