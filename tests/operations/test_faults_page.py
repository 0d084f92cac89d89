"""docs/operators/faults.md names a test for each row, and a row for each fault."""

import re

from sms.operations import faults
from tests.environment import ROOT

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
