"""A pytest plugin: with TEXTDESK_NO_SKIPS=1 a skipped test or module is a failure, so a build machine cannot pass by lacking things.

Loaded by `conftest.py`; its own test runs it on a planted skip.
"""

import os
from collections.abc import Generator

import pytest

SENTENCE = "skipped, and TEXTDESK_NO_SKIPS=1 makes every skip a failure"


def _forbidden() -> bool:
    return os.environ.get("TEXTDESK_NO_SKIPS") == "1"


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the report of a skipped test into a failure; an expected failure (xfail) is not a skip."""
    report = yield
    if _forbidden() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{SENTENCE}: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if _forbidden() and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{SENTENCE}: {_reason(report.longrepr)}"
    return report
