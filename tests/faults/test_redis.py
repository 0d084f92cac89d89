"""Redis as the queue, lost in the middle of a send and found again: nothing is lost and nothing is sent twice."""

import subprocess
import sys
from collections import Counter

from tests.support.dispatchers import bench
from tests.support.processes import ROOT, until
from tests.support.redis_server import RedisServer


def test_a_send_goes_on_without_redis(var_dir, prepared_database_url, tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    audience = tmp_path / "numbers.csv"
    audience.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(60)))

    def arrived() -> list[str]:
        return [row["msisdn"] for row in made.sandbox_log() if row["kind"] == "message"]

    def send() -> None:
        """By a process of its own, which knows of Redis."""
        what = ("--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
        subprocess.run([sys.executable, "manage.py", "send", *what], cwd=ROOT, env=made.env, check=True)

    with bench(var_dir, prepared_database_url, "--fault", "slow=50") as made:
        made.env["REDIS_URL"] = server.url
        try:
            made.cluster()
            send()
            until(lambda: len(arrived()) >= 10, "the first messages")
            server.stop()
            send()  # nobody is woken for this one
            until(lambda: len(arrived()) >= 120, "both sends")
            assert set(Counter(arrived()).values()) == {2}
            server.start()
            until(lambda: "queue_back" in made.log.read_text(), "Redis to be heard again")
        finally:
            server.stop()
    assert made.log.read_text().count("queue_lost") <= 8, "once for each process"
