"""Totals of counters, added to in one statement whatever other processes add at the same time."""

from collections.abc import Mapping

from django.db import connection

AT_A_TIME = 200  # rows of one statement


def add(host: str, counts: Mapping[tuple[str, str], float]) -> None:
    """Add to the totals of this host. In one order, so that two processes never wait for each other in a circle."""
    rows = [(host, name, labels, number) for (name, labels), number in sorted(counts.items())]
    for start in range(0, len(rows), AT_A_TIME):
        some = rows[start : start + AT_A_TIME]
        places = ", ".join(["(%s, %s, %s, %s)"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO sms_metertotal (host, name, labels, value) VALUES {places} "  # noqa: S608 - places alone
                "ON CONFLICT (host, name, labels) DO UPDATE SET value = sms_metertotal.value + excluded.value",
                [value for row in some for value in row],
            )
