"""What the drills of restores and failovers share: a send to be in the middle of, what arrived, and its receipts as a file."""

import csv
from collections import Counter
from pathlib import Path

from tests.support.dispatchers import Bench
from tests.support.processes import until

COUNT, NOT_EXPORTED = 120, 7
SEND_AGAIN = (
    "from sms import dispatch; from sms.models import *\n"
    "dispatch.by_person(Send.objects.latest('pk'), dispatch.Settlement.SEND_AGAIN, by=Actor.system('cli'))"
)
RAISE = "from sms import dispatch; dispatch.epochs.keep()"
RUN = "from sms import dispatch; dispatch.run(public_url='http://127.0.0.1', seconds=60)"
FOUND = "RestoredCopy.objects.values('why')"


def arrived(made: Bench) -> list[dict]:
    return [row for row in made.sandbox_log() if row["kind"] == "message"]


def states(made: Bench) -> Counter[str]:
    return Counter(row["state"] for row in made.rows("Message.objects.values('state')"))


def export_of(messages: list[dict], path: Path) -> Path:
    """As the provider exports receipts."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["correlationid", "transid", "deliveryStatus", "code", "destination"])
        for one in messages:
            rows.writerow([one["correlationId"], one["messageId"], "Delivered", "7500", one["msisdn"]])
    return path


RESUME = (
    "from sms.models import *; from sms.sends import control\n"
    "control.resume_service(Service.objects.get(slug='demo'), by=Actor.system('cli'))"
)


def is_in_mid_send(made: Bench, tmp_path, *, count: int = COUNT) -> None:
    audience = tmp_path / "numbers.csv"
    audience.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(count)))
    made.manage(
        *("send", "--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
    )
    made.run(RAISE)
    made.dispatcher()
    until(lambda: len(arrived(made)) > count // 8, what="it is in the middle of the send")
