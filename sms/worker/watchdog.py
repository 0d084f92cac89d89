"""The watchdog over a cluster: leaves a wake-up when it hears nothing, and says so when it is not answered.

A live cluster answers a wake-up with a heartbeat within a second, however little there is to do. So silence alone proves nothing, and
silence after a wake-up does: the guard, the pusher or the workers are dead or hang, though the process is still there. It looks from
a thread of its own, because a database that hangs must not hold up the supervisor; a look that does not end is a verdict too.
"""

import threading
import time
from dataclasses import dataclass, field

import structlog
from django.db import Error, connections

from sms import dispatch
from sms.ledger import wakeups
from sms.models import Heartbeat
from sms.models.sql.limits import WorkKind, work_as
from sms.worker.health import receipts_wait
from sms.worker.heartbeat import HOST

log = structlog.get_logger(__name__)

LOOK = 1.0  # seconds between looks
# seconds without a beat before we ask, while something is due: longer than beats are apart
QUIET_WITH_WORK = 6.0
QUIET = 60.0  # … while nothing is
RECEIPT_LATE = 3.0  # seconds that a receipt lay there: its wake-up was lost
AGAIN = 3.0  # seconds between wake-ups; the queue may have been emptied under them
SAME_BEAT = 1.0  # two clocks and two queries never agree to the microsecond
PATIENCE = 20.0
LONGEST = 8  # times the patience, with a cluster that was started again and again and never heard


@dataclass(slots=True)
class Watchdog:
    """Watches one cluster on this host. `patience`: seconds without an answer after which it counts as wedged.

    It doubles with each start that was never heard: on a machine so busy that a start takes longer, a cluster that is ended for it
    would never come to send.
    """

    patience: float = PATIENCE
    _unheard_starts: int = 0
    _heard: float = field(default_factory=time.monotonic)
    _asked: float | None = None
    _asked_last: float = 0.0
    _verdict: str = ""
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _looking: float | None = None  # since when

    def begin(self) -> None:
        """The cluster was just started: what was before does not count."""
        self._heard, self._asked, self._verdict = time.monotonic(), None, ""
        self._unheard_starts += 1
        self._looking = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._thread.start()

    def end(self) -> None:
        self._end.set()

    def verdict(self) -> str:
        """Why the cluster should be started again, as a sentence; empty while all is well."""
        since = self._looking
        if since is not None and (seconds := time.monotonic() - since) > self.patience:
            return f"the database has not answered its watchdog for {seconds:.0f} s"
        return self._verdict

    def _watch(self) -> None:
        work_as(WorkKind.PROGRAM)
        while not self._end.wait(LOOK):
            self._looking = time.monotonic()
            try:
                self.look()
            except Error:
                self._heard, self._asked = time.monotonic(), None  # no beat can be written without it
                connections.close_all()
            except Exception:
                log.exception("watchdog_failed")
            finally:
                self._looking = None
        connections.close_all()

    def look(self) -> None:
        wakeups.keep_schedule()
        if receipts_wait(RECEIPT_LATE):
            wakeups.fold()
        beat = Heartbeat.silence(host=HOST, kind=Heartbeat.Kind.CLUSTER)
        now = time.monotonic()
        heard = self._heard
        if beat is not None and now - beat > heard + SAME_BEAT:
            self._heard, self._asked, self._verdict = now - beat, None, ""
            self._unheard_starts = 0
            return
        silent = now - heard
        due = dispatch.due_within(0) is not None
        if self._asked is None and silent > (QUIET_WITH_WORK if due else QUIET):
            self._asked = now
        if self._asked is None:
            return
        patience = self.patience * min(2 ** max(self._unheard_starts - 1, 0), LONGEST)
        if now - self._asked > patience and heard == self._heard:
            work = "messages are due" if due else "a wake-up was left for it"
            self._verdict = f"it has shown no sign of life for {silent:.0f} s although {work}"
        elif now - self._asked_last > AGAIN:
            self._asked_last = now
            wakeups.dispatch()
