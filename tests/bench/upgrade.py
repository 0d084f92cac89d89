"""How long a send pauses while the release is changed beneath it, and changed back.

`python -m tests.bench.upgrade` prints one JSON line: what was posted, receipts that were refused, and the longest pause between two
messages that came at 20 a second. It needs PostgreSQL and nginx.
"""

import argparse
import atexit
import json
import shutil
import tempfile
from pathlib import Path

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from tests import postgres  # noqa: E402
from tests.faults import upgrade  # noqa: E402


def main() -> None:
    """Run and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="textdesk-upgrade-") as folder,
        tempfile.TemporaryDirectory(prefix="textdesk-next-") as next_folder,
        postgres.server() as server,
        postgres.fresh_database(server) as url,
        upgrade.installed(Path(folder), url) as there,
    ):
        print(
            json.dumps(
                {
                    "bench": "upgrade",
                    **upgrade.drill(there, Path(next_folder)),
                    "goal_longest_pause_seconds": 5,
                }
            )
        )


if __name__ == "__main__":
    main()
