"""The table of `docs/security.md`: each requirement once, in one of three states, with tests and files that are there."""

import re

from tests.environment import ROOT

PAGE = ROOT / "docs" / "security.md"
LINE = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| (met|not met|not applicable) \| ([^|]+) \|$", re.M
)
NAMED = re.compile(
    r"`([\w./-]+\.(?:py|md|toml|html|js)|(?:tests|sms|portal|static|templates|requirements)(?:/[\w/-]+)?)(?:::(\w+))?`"
)


def test_every_requirement_of_levels_1_and_2_has_one_line_and_the_sum_is_right():
    text = PAGE.read_text(encoding="utf-8")
    rows = LINE.findall(text)
    numbers = [tuple(map(int, row[0].split("."))) for row in rows]
    assert len(rows) == 253 and numbers == sorted(set(numbers))
    assert len(re.findall(r"^\| \d", text, re.M)) == 253, "a line has another form"
    said = re.search(r"Of 253 points (\d+) are met, (\d+) do not apply, (\d+) are not met", text)
    states = [row[3] for row in rows]
    counted = [states.count(one) for one in ("met", "not applicable", "not met")]
    assert said and list(map(int, said.groups())) == counted


def test_every_test_and_file_that_is_named_is_there():
    text = PAGE.read_text(encoding="utf-8")
    missing = []
    for path, name in NAMED.findall(text):
        file = ROOT / path
        if not file.exists() or (name and f"def {name}(" not in file.read_text(encoding="utf-8")):
            missing.append(f"{path}::{name}")
    assert (missing, len(NAMED.findall(text)) > 150) == ([], True)
