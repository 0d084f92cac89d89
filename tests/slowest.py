"""A pytest plugin that ends a run with its ten slowest files and their seconds. Loaded by `run.py`."""

from collections import Counter

import pytest

SHOWN = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds of a file are those of its tests and fixtures, waits included; several workers spend them side by side."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    terminalreporter.section(f"slowest {SHOWN} files")
    for path, spent in seconds.most_common(SHOWN):
        terminalreporter.write_line(f"{spent:6.0f} s  {path}")
