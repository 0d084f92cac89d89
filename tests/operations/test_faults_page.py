"""docs/operators/faults.md names a test for each row, and a row for each fault."""

import re

import yaml

from sms.operations import faults
from tests.environment import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
PAGE = (ROOT / "docs" / "operators" / "faults.md").read_text()


PROVED, ALERTED, COSTS = (
    [line for line in part.splitlines() if line.startswith("| ") and line.count("|") > 2]
    for part in re.split(r"^## (?:Alerts|What a fault costs)$", PAGE, flags=re.MULTILINE)
)
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
LOOKS = 15 + 15  # seconds until Prometheus has asked, and until it has looked at the rule


def seconds(said: str) -> int:
    number, unit = re.fullmatch(r"(\d+) ?([smh])", said).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def test_each_row_is_proved_by_a_test_or_a_bench_that_exists():
    rows = [line for line in PROVED if not line.startswith(("| fault |", "| what |"))]
    assert len(rows) > 40
    for row in rows:
        (named,) = re.findall(r"`(tests/\S+\.py)(?:::(\w+))?` \|$", row)
        path, name = named
        assert f"def {name}(" in (ROOT / path).read_text(), row
    for row in COSTS[1:]:
        named = re.findall(r"`(tests/[^:`]+\.py)(?:::(\w+))?`", row) or re.findall(
            r"`python -m (tests\.bench\.\w+)()`", row
        )
        assert named or row.endswith("| not measured |"), row
        for path, name in named:
            text = (ROOT / (path if path.endswith(".py") else f"{path.replace('.', '/')}.py")).read_text()
            assert f"def {name}(" in text if name else text, row


def test_each_fault_has_a_row():
    words = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}
    assert words == set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", PAGE, re.MULTILINE))


def test_each_alert_has_a_row_and_each_row_an_alert_that_there_is():
    """Its runbook: tests/test_deploy.py."""
    assert set(re.findall(r"`(Textdesk\w+)`", "".join(PROVED))) == {rule["alert"] for rule in RULES}


def test_the_times_of_alerts_are_those_of_the_rules():
    found = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in ALERTED[1:]]
    assert [row[0] for row in found] == [rule["alert"] for rule in RULES]
    for (_, severity, figure, waits, fires), rule in zip(found, RULES, strict=True):
        assert (severity, seconds(waits)) == (rule["labels"]["severity"], seconds(rule["for"]))
        assert seconds(fires) == seconds(figure) + LOOKS + seconds(waits)
    assert {group["interval"] for group in yaml.safe_load(ALERTS.read_text())["groups"]} == {"15s"}
    assert all(
        one["scrape_interval"] == "15s"
        for one in yaml.safe_load((ALERTS.with_name("prometheus.yml")).read_text())["scrape_configs"]
    )


def test_each_word_is_told_by_one_alert():
    expr = {rule["alert"]: rule["expr"] for rule in RULES}
    (without,) = re.findall(r'fault!~"([^"]+)"', expr["TextdeskFault"])
    (can_wait,) = re.findall(r'fault=~"([^"]+)"', expr["TextdeskFaultCanWait"])
    alerts, word = {}, ""
    for row in PROVED:
        word = (re.findall(r"^\| [^|]+ \| `(\w+)` \|", row) or ([word] if row.startswith("| | |") else [""]))[
            0
        ]
        alerts.setdefault(word, set()).update(re.findall(r"`(Textdesk\w+)`", row))
    del alerts[""]
    assert all(alerts.values()), alerts
    paged = {one for one, names in alerts.items() if "TextdeskFault" in names}
    assert paged | {faults.AWAY} == alerts.keys() - set(without.split("|"))
    assert {one for one, names in alerts.items() if "TextdeskFaultCanWait" in names} == set(
        can_wait.split("|")
    )


def test_what_comes_later_than_within_a_minute_says_why():
    for row in PROVED:
        soon = row.split(" | ")[3] if row.count(" | ") >= 3 else ""
        assert "day" not in soon or "since" in soon or "second day" in soon, row
