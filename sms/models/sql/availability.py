"""Whether this process takes the database for away: then nobody but one prober asks it, and everybody else goes another way at once."""

import threading
import time

import structlog
from django.db import Error, connection

from sms.models.sql.limits import WorkKind, work_as
from sms.models.sql.trouble import waited_in_vain
from sms.models.sql.writable import FOR_POSTS, try_to_write

log = structlog.get_logger(__name__)

PAUSE = 0.5  # seconds between two looks of the prober while it is away
EVERY = 5.0  # seconds between its looks otherwise


class Availability:
    """A breaker. It opens where the database is found away, and closes when the prober could have stored a post.

    Web servers have a prober (`watch`), which also looks by itself, so that nobody's work has to find out. Other processes remember
    nothing: each of their tries finds out for itself.
    """

    def __init__(self) -> None:
        self._mutex, self._wanted = threading.Lock(), threading.Event()
        self._watched = False
        self.forget()

    def forget(self) -> None:
        """As when the process began."""
        self._away = self._busy = False

    def watch(self) -> None:
        """From now on a thread looks. Once, when a server begins to answer."""
        self._watched = True
        threading.Thread(target=self._probe, name="prober", daemon=True).start()

    def away(self) -> bool:
        """Whether posts are not to touch the database now."""
        return self._away

    def shut(self) -> bool:
        """Whether pages and programs need not try: not where it is only busy, and reading may work."""
        return self._away and not self._busy

    def report(self, problem: Exception) -> None:
        """It was found away, or did not answer in time."""
        with self._mutex:
            begins = not self._away
            self._away, self._busy = self._watched, waited_in_vain(problem)
        if begins:
            self._wanted.set()
            log.error("database_away", error=f"{type(problem).__name__}: {problem}".strip()[:300])

    def _probe(self) -> None:
        work_as(WorkKind.POST)
        since: float | None = None
        while True:
            self._wanted.wait(PAUSE if self._away else EVERY)
            self._wanted.clear()
            if not self._away and connection.vendor == "sqlite":
                continue  # a look takes its one writer's place
            if self._away:
                since = since or time.monotonic()
            try:
                try_to_write(FOR_POSTS, by="prober")
            except Error as problem:
                connection.close()
                self.report(problem)
            except Exception:
                log.exception("prober_failed")
            else:
                with self._mutex:
                    self._away = self._busy = False
                if since is not None:
                    log.info("database_back", seconds=round(time.monotonic() - since, 1))
                since = None


# One for the process
database = Availability()
