"""How long work waits for PostgreSQL, by its kind: what the server is told when a connection begins, and our own deadline for its answer.

A server that is silent answers no timeout of its own, so whoever waits for it has one too. Called for each new connection by `sms.apps`.
"""

import threading
from dataclasses import dataclass
from enum import Enum
from typing import Any

# The same for every connection, since PgBouncer in transaction mode hands a server's connection, with what was set, from one to another.
# jit: PostgreSQL takes a third of a second to compile a statement that looks long to it, which for ours is longer than to answer it.
# synchronous_commit: what we answered 200 for must survive a crash, whatever the server is set to.
FOR_ALL = {
    "jit": "off",
    "synchronous_commit": "on",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """`statement`: the server's, in milliseconds, 0 for none. `wait`: ours for an answer, in seconds. `idle`: in a transaction."""

    statement: int
    wait: float | None
    idle: str = "30s"


class WorkKind(Enum):
    """Kinds of work."""

    POST = WaitLimits(2_000, 2.5)  # the provider's posts: what takes longer goes to the spool
    PROBE = WaitLimits(3_000, 4.0)  # operators' probes, which give up soon themselves
    PROGRAM = WaitLimits(30_000, 35.0)  # partners' programs
    PAGE = WaitLimits(60_000, 65.0)  # a person's page
    SEND = WaitLimits(12_000, 14.0)  # what claims and records messages: nobody may wait long behind it
    JOB = WaitLimits(120_000, 130.0)  # all else that dispatchers do
    LONG = WaitLimits(0, None, idle="10min")  # retention, reports, migrations, commands


class _OfThread(threading.local):
    work = WorkKind.LONG


_of_thread = _OfThread()
# what DATABASE_URL says instead; `sms.apps` fills it. What a replica's address says is in its SESSION
given: dict[str, str] = {}


def work_as(work: WorkKind) -> None:
    """What the present thread does from now on; counts for connections that it opens."""
    _of_thread.work = work


def begin(fresh: Any) -> None:
    """Tell a new connection to PostgreSQL its limits.

    Behind PgBouncer the server's process is another one than we were told, and may serve another kind of work next: then statements are
    limited by our own deadline alone, and by what the server's role is set to.
    """
    limits, told = _of_thread.work.value, given | fresh.settings_dict.get("SESSION", {})
    driver = fresh.connection
    if limits.wait is not None:
        driver.wait = _Patient(driver, limits.wait).wait
    with fresh.cursor() as cursor:
        wanted = FOR_ALL | told
        each = ", set_config(%s, %s, false)" * len(wanted)
        cursor.execute(f"SELECT pg_backend_pid(){each}", [one for pair in wanted.items() for one in pair])
        direct = cursor.fetchone()[0] == driver.info.backend_pid
        if direct:
            own = {"statement_timeout": limits.statement, "idle_in_transaction_session_timeout": limits.idle}
            for name in own.keys() - told.keys():
                cursor.execute(f"SET {name} = '{own[name]}'")


class _Patient:
    """Ends a connection whose server does not answer in time; every statement, commit and rollback waits here."""

    def __init__(self, driver: Any, seconds: float) -> None:
        self._driver, self._wait, self._seconds = driver, driver.wait, seconds

    def wait(self, steps: Any, *rest: Any, **options: Any) -> Any:
        from psycopg.errors import OperationalError, _WaitTimeout

        try:
            return self._wait(steps, *rest, **{"timeout": self._seconds} | options)
        except _WaitTimeout:
            self._driver.pgconn.finish()  # in an unknown state, and nobody may wait for it again
            raise OperationalError(f"no answer within {self._seconds:g} s") from None
