"""A pytest plugin: in which order tests run, and which of them on one worker.

Files that start real processes or Chromium come first, each as a whole on one worker: they take longest, wait most, and share what
they started; the journeys share one desk, so they are one unit. Everything else is dealt out test by test behind them, so that all
workers end together: first what touches no database, since the first database is still being migrated. (`--dist loadgroup` of xdist
3.8 cannot do this: it writes groups to a place where pytest 9 no longer looks.) Loaded by `conftest.py`.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# what stays together, the longest first: files that share processes they started, or (the last) trees they parsed
JOURNEYS = "tests/journey/"
WHOLE = (
    JOURNEYS,
    "tests/faults/test_dispatchers.py",
    "tests/browser/test_pages.py",
    "tests/faults/",
    "tests/browser/",
    "tests/test_architecture.py",
)
AT_ONCE = 2  # of them: while their processes start and wait, another worker computes


def is_whole(nodeid: str) -> bool:
    """Whether its file stays together."""
    return nodeid.startswith(WHOLE)


class WholeFilesFirst(LoadScopeScheduling):
    """Units of work in the order of collection: the journeys, another file of `WHOLE`, or one test."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(JOURNEYS):
            return JOURNEYS
        return nodeid.partition("::")[0] if is_whole(nodeid) else nodeid

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Forgets a unit once it is done; the class above would look at all of them again after every test."""
        super().mark_test_complete(node, item_index, duration)
        unit = self._split_scope(self.registered_collections[node][item_index])
        if all(self.assigned_work[node][unit].values()):
            del self.assigned_work[node][unit]

    def _assign_work_unit(self, node: WorkerController) -> None:
        busy = [
            worker
            for worker, work in self.assigned_work.items()
            if worker is not node and any(map(is_whole, work))
        ]
        if len(busy) >= AT_ONCE:
            single = next((unit for unit in self.workqueue if not is_whole(unit)), None)
            if single:
                self.workqueue.move_to_end(single, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> WholeFilesFirst:
    """Called by xdist in the process that hands out the work."""
    config.option.loadscopereorder = False
    return WholeFilesFirst(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After pytest-django, which sorts by the kind of database access."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    for at, path in enumerate(WHOLE):
        if item.nodeid.startswith(path):
            return at
    return len(WHOLE) + (item.get_closest_marker("pure") is None)
