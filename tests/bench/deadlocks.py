"""Deadlocks of ordinary sends: dispatch and prompt receipts on the same messages, as PostgreSQL itself counts them.

`python -m tests.bench.deadlocks [--sends 10] [--messages 2000]` prints one JSON line: deadlocks (0 is the goal) and seconds of each send
to final states. Starts web, cluster and sandbox, and stops them.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests import postgres
from tests.support.processes import textdesk


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sends", type=int, default=10)
    parser.add_argument("--messages", type=int, default=2000)
    options = parser.parse_args()
    print(json.dumps(measure(options.sends, options.messages)), flush=True)


def measure(sends: int, messages: int) -> dict[str, object]:
    """One send after the other through one running desk."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "var").mkdir()
        server = stack.enter_context(postgres.server())
        url = stack.enter_context(postgres.fresh_database(server))
        up = stack.enter_context(textdesk(folder / "var", url))
        seconds: list[float] = []
        left = 0
        for number in range(sends):
            path = folder / f"{number}.csv"
            lines = (f"07712{number * messages + index:06d}" for index in range(messages))
            path.write_text("\n".join(["number", *lines]))
            result = up.send(path, "--text", "Hello", timeout=600)
            seconds.append(result["seconds"])
            left += sum(
                count for state, count in result["states"].items() if state not in ("delivered", "failed")
            )
        return {
            "bench": "deadlocks",
            "sends": sends,
            "messages": messages,
            "deadlocks": deadlocks(url),
            "seconds": seconds,
            "per_second": round(sends * messages / sum(seconds)),
            "not_final": left,
            "goal_deadlocks": 0,
        }


def deadlocks(url: str) -> int:
    """Since the database was made."""
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True) as link:
        row = link.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else -1


if __name__ == "__main__":
    main()
