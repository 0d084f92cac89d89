"""What the wire costs: encode and validate one message, read one receipt, beside the standard library's JSON in the same run.

`python -m tests.bench.wire` prints one JSON line for each figure: microseconds (median of runs), the target, the floor measured
here (`json.dumps` or `json.loads` of the same document, without any check), and the ratio of the two. Exits 1 over a target.
"""

import json
import statistics
import sys
import timeit
from collections.abc import Callable

from sms.webex.receipts import parse_receipt
from sms.webex.wire import Content, Destination, Options, Rules, SendRequest, encode
from tests.wire import golden

RUNS, LOOPS = 15, 4000
RULES = Rules()


def one_message(number: int) -> bytes:
    """Built, validated and encoded, as dispatch does for every message of a tracked, personalised send."""
    return encode(
        SendRequest(
            from_="TEXTDESK",
            to=[
                Destination(
                    msisdn=[f"+{447700900000 + number % 1000}"],
                    substitutions={"name": "Ada", "order": "4711"},
                    correlation_id="m7.1.9f3c2a41d0",
                )
            ],
            content=Content(text="Hi $(name), order $(order) is on its way: https://shop.example/o/4711"),
            options=Options(shorten_links=True, track_clicks=True, domain="https://uk.wbxc.io"),
            requested_receipts=["SUBMITTED", "DELIVERED", "CLICKED", "FAILED"],
            validity=3600,
            callback_data="order=4711",
            notify_url="https://textdesk.example.net/receipts/r0Ck3T/",
        ),
        rules=RULES,
    )


def microseconds(work: Callable[[], object], floor: Callable[[], object]) -> tuple[float, float]:
    """Medians of both, measured in turns so that a noisy machine is noisy for both."""
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(timeit.timeit(work, number=LOOPS) / LOOPS * 1e6)
        theirs.append(timeit.timeit(floor, number=LOOPS) / LOOPS * 1e6)
    return statistics.median(ours), statistics.median(theirs)


def main() -> int:
    """Print the figures; 1 where one is over its target."""
    plain = json.loads(one_message(1))
    receipt = golden.body("receipt_delivered")
    over = False
    for name, target, work, floor in (
        ("encode and validate one message", 20, lambda: one_message(1), lambda: json.dumps(plain)),
        ("read one receipt", 10, lambda: parse_receipt(receipt), lambda: json.loads(receipt)),
    ):
        ours, theirs = microseconds(work, floor)
        over |= ours > target
        line = {"figure": name, "us": round(ours, 2), "target_us": target, "json_us": round(theirs, 2)}
        print(json.dumps(line | {"ratio": round(ours / theirs, 2), "runs": RUNS}))
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
