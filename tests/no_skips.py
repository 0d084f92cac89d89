"""A pytest plugin: with TEXTDESK_NO_SKIPS=1 a run that skipped a test fails, so that a build machine cannot pass by lacking things."""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """An expected failure (xfail) is not a skip."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if os.environ.get("TEXTDESK_NO_SKIPS") == "1" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nTEXTDESK_NO_SKIPS=1: a skip is a failure.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
