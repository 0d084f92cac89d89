"""docs/operators/faults.md names a test for each row, and a row for each fault."""

import re

import yaml

from sms.operations import faults
from tests.environment import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
PAGE = (ROOT / "docs" / "operators" / "faults.md").read_text()


def test_each_row_is_proved_by_a_test_that_exists():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| fault |")]
    assert len(rows) > 20
    for row in rows:
        (named,) = re.findall(r"`(tests/\S+\.py)(?:::(\w+))?` \|$", row)
        path, name = named
        assert f"def {name}(" in (ROOT / path).read_text(), row


def test_each_fault_has_a_row():
    words = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}
    assert words == set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", PAGE, re.MULTILINE))


def test_each_alert_has_a_row_and_each_row_an_alert_that_there_is():
    """Its runbook: tests/test_deploy.py."""
    named = set(
        re.findall(r"`(Textdesk\w+)`", "".join(one for one in PAGE.splitlines() if one.startswith("| ")))
    )
    assert named == {
        rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    }


def test_what_comes_later_than_within_a_minute_says_why():
    for row in re.findall(r"^\| .*\|$", PAGE, re.MULTILINE):
        soon = row.split(" | ")[3] if row.count(" | ") >= 3 else ""
        assert "day" not in soon or "since" in soon, row
