"""The main job end to end: a 10 000-row office file from `manage.py send` to final states, on real processes.

`python -m tests.bench.main_job [--rows 10000] [--runs 3] [--only sqlite|postgresql]` prints one JSON line per database: median
seconds, and its ratio to the limit measured in the same run (the time a bare keep-alive loop needs to post that many bodies to the
same sandbox, which no dispatcher can beat with one process). Starts web, cluster and sandbox; stops them; bounded by a time-out.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.support.office_file import build
from tests.support.processes import Textdesk, textdesk

POSTERS = 8


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    for database in ("sqlite", "postgresql"):
        if options.only in (None, database):
            print(json.dumps(measure(database, rows=options.rows, runs=options.runs)), flush=True)


def measure(database: str, *, rows: int, runs: int) -> dict[str, object]:
    """Median over `runs` sends of fresh files through one running desk."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "var").mkdir()
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if database == "postgresql":
            found = stack.enter_context(postgres.server())
            url = stack.enter_context(postgres.fresh_database(found))
        up = stack.enter_context(textdesk(folder / "var", url))
        results = [_send(up, folder, rows=rows, seed=seed) for seed in range(runs)]
        bare = _bare_posts(up, count=min(rows, 2000)) * rows / min(rows, 2000)
    seconds = statistics.median(result["seconds"] for result in results)
    return {
        "bench": "main_job",
        "database": database,
        "rows": rows,
        "seconds": seconds,
        "all_runs": [result["seconds"] for result in results],
        "states": results[-1]["states"],
        "rejected": results[-1]["rejected"],
        "bare_post_seconds": round(bare, 2),
        "ratio_to_bare_posts": round(seconds / bare, 2),
        "goal_seconds": 60,
    }


def _send(up: Textdesk, folder: Path, *, rows: int, seed: int) -> dict:
    content, expectation = build(rows, seed=seed, flavour="csv-semicolon-utf16", long_cell=2_500_000)
    path = folder / f"office-{seed}.csv"
    path.write_bytes(content)
    result = up.send(path, "--text", "Hi $(Customer name), your order is on its way.", timeout=300)
    left = {state: count for state, count in result["states"].items() if state not in ("delivered", "failed")}
    assert not left, f"not final: {left}"
    assert result["recipients"] + result["rejected"] == len(expectation.recipients) + len(expectation.rejects)
    return result


def _bare_posts(up: Textdesk, *, count: int) -> float:
    """Seconds to post `count` minimal bodies to the same sandbox by plain keep-alive connections, without books or receipts."""
    body = json.dumps(
        {
            "channel": "sms",
            "from": "TEXTDESK",
            "to": [{"msisdn": ["447712000000"], "correlationId": "bare"}],
            "content": {"type": "text", "text": "x"},
        }
    )
    headers = {"key": "sandbox-key", "Content-Type": "application/json"}

    def post() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", up.sandbox_port, timeout=20)
        for _ in range(count // POSTERS):
            connection.request("POST", "/v2/messages", body, headers)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(POSTERS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
