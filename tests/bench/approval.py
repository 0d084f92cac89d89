"""Approval: how long the fingerprint of a large send takes, against reading the same rows and making nothing of them.

`python -m tests.bench.approval [--only sqlite|postgresql] [--rows 100000]` prints one JSON line for each database. The last yes and the
asking compute the whole fingerprint; a dispatcher computes that of one slice, which is told too. Then, how long another who writes to the
same database waits at most while a yes is said, against how long it waits at most while nothing is done.
"""

import argparse
import json
import statistics
import threading
import time
import tracemalloc

from tests.bench.rig.databases import on_each


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int, default=100_000)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from sms.compose import background
    from sms.compose.approval import fingerprint
    from sms.compose.create import create
    from sms.models import Message, Slice
    from tests.support.approvals import a_careful_service
    from tests.support.sends import BY, an_order, numbers

    service = a_careful_service()
    send = create(an_order(service, audience=numbers(options.rows)), by=BY)
    background.run(stopped=lambda: False)

    def timed(act):
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            act()
            times.append(time.perf_counter() - begun)
        return statistics.median(times)

    def read():
        for first, last in Slice.objects.filter(send=send).values_list("first_id", "last_id"):
            rows = Message.objects.filter(send=send, pk__gte=first, pk__lte=last).order_by("pk")
            list(rows.values_list("row", "msisdn", "zone", "text", "substitutions", "segments", "country"))

    limit, whole = timed(read), timed(lambda: fingerprint.of_send(send.pk))
    begun = time.process_time()
    fingerprint.of_send(send.pk)
    cpu = time.process_time() - begun
    tracemalloc.start()
    fingerprint.of_send(send.pk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    idle, beside_a_yes = _longest_wait(lambda: time.sleep(whole)), _longest_wait(lambda: _yes(service))
    piece = send.slices.first()
    of_slice = timed(lambda: fingerprint.of_slice(send.pk, piece.first_id, piece.last_id))
    print(
        json.dumps(
            {
                "figure": "fingerprint of a send",
                "database": options.one,
                "rows": options.rows,
                "seconds": round(whole, 2),
                "limit_seconds": round(limit, 2),
                "limit": "reading the same rows",
                "ratio": round(whole / limit, 2),
                "cpu_seconds": round(cpu, 2),
                "slice_ms": round(1000 * of_slice, 1),
                "peak_mb": round(peak / 1e6, 1),
                "others_wait_ms": round(1000 * beside_a_yes, 1),
                "others_wait_idle_ms": round(1000 * idle, 1),
            }
        ),
        flush=True,
    )


def _yes(service):
    """To a send of as many recipients, asked about before."""
    from sms.models import ApprovalRequest
    from sms.sends import answers
    from tests.support.approvals import a_person, acting

    bob, request = a_person("bob", service), ApprovalRequest.objects.get()
    assert answers.approve(request, by=acting(bob), seen=request.fingerprint)


def _longest_wait(act):
    """Seconds that the slowest of many small commits took beside it."""
    from django.db import connection

    from sms.models import Region

    over, longest = threading.Event(), [0.0]

    def write():
        while not over.is_set():
            begun = time.perf_counter()
            Region.objects.filter(key="us").update(key="us")
            longest[0] = max(longest[0], time.perf_counter() - begun)
            time.sleep(0.002)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    act()
    over.set()
    writer.join()
    return longest[0]


if __name__ == "__main__":
    main()
