"""A pytest plugin: the database that every worker copies is migrated while they are still collecting. Loaded by `run.py` for a whole suite.

It takes seconds of one core, in which nothing that needs a database could begin.
"""

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.prepared import shared


class Early:
    """Holds it for the length of the run, in the process that hands out the work."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._thread: threading.Thread | None = None

    def _make(self, folder: Path) -> None:
        # a worker that waits for it tries again where this fails, and says why
        self._held.enter_context(shared(folder, os.environ.get("DATABASE_URL", "")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Begin."""
        folder = session.config._tmp_path_factory.getbasetemp()  # where the workers' folders will be
        self._thread = threading.Thread(target=self._make, args=(folder,))
        self._thread.start()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """The workers have left it by now."""
        if self._thread is not None:
            self._thread.join()
        self._held.close()


def pytest_configure(config: pytest.Config) -> None:
    """Workers have a config of their own, and so has a run without them."""
    if not hasattr(config, "workerinput") and config.getoption("numprocesses", None):
        config.pluginmanager.register(Early())
