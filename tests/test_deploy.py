"""What operators copy from `deploy/`: read by the tools that will read it, and true to commands, metrics and runbooks of this version.

nginx and Caddy run with these files in `tests/journey/test_clients.py`.
"""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.db import connection

from sms import VERSION
from sms.management.commands import dispatch
from sms.worker import supervisor
from sms.worker.jobs import JOBS, loops
from tests.environment import ROOT, variables

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
METRICS = ROOT / "docs" / "operators" / "metrics.md"
RUNBOOKS = ROOT / "docs" / "operators" / "runbooks.md"
DEPLOYING = ROOT / "docs" / "operators" / "deploying.md"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OF_PROMETHEUS = {"up"}


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def read_by_its_command(words: list[str]) -> None:
    """As the command line would: an unknown command or option ends it."""
    name, *options = words
    load_command_class(get_commands()[name], name).create_parser("textdesk", name).parse_args(options)


# --- systemd ----------------------------------------------------------------------------------------------------------------
def test_units_are_what_systemd_understands(tmp_path):
    program = tmp_path / "textdesk"
    program.symlink_to("/bin/true")
    for path in UNITS:
        text = path.read_text()
        assert "/opt/textdesk/bin/textdesk " in text
        (tmp_path / path.name).write_text(text.replace("/opt/textdesk/bin/textdesk", str(program)))
    names = [str(tmp_path / path.name) for path in UNITS]
    done = subprocess.run([tool("systemd-analyze"), "verify", *names], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "textdesk" in line]
    assert ours == [], done.stderr
    assert len(UNITS) == 4


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_of_ours(path):
    (line,) = re.findall(r"^ExecStart=/opt/textdesk/bin/textdesk (.*)$", path.read_text(), flags=re.MULTILINE)
    read_by_its_command(line.split())


def test_what_units_say_themselves_is_not_undone_by_an_empty_line():
    """To systemd a line of EnvironmentFile wins over Environment."""
    copied = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    for path in UNITS:
        said = set(re.findall(r"^Environment=(\w+)=", path.read_text(), flags=re.MULTILINE))
        assert "VAR_DIR" in said
        assert said & copied == set()


def seconds_to_end(part: str) -> float:
    """From SIGTERM until the last process is gone, whatever hangs."""
    if part == "dispatch":
        return dispatch.DRAINED_WITHIN
    words = list(supervisor.web(8000).command)
    return float(words[words.index("--workers-kill-timeout") + 1])


@pytest.mark.parametrize("part", ["web", "doors", "dispatch"])
def test_nothing_is_killed_while_it_ends_what_is_under_way(part):
    needed = seconds_to_end(part) + 5
    assert int(compose()[part]["stop_grace_period"].removesuffix("s")) >= needed
    (given,) = re.findall(
        r"TimeoutStopSec=(\d+)", (DEPLOY / "systemd" / f"textdesk-{part}.service").read_text()
    )
    assert int(given) >= needed
    pod = dict(pods())[f"textdesk-{part}"]
    waits = [
        one["lifecycle"]["preStop"]["exec"]["command"] for one in pod["containers"] if "lifecycle" in one
    ]
    assert pod["terminationGracePeriodSeconds"] - sum(int(words[1]) for words in waits) >= needed


# --- containers ---------------------------------------------------------------------------------------------------------------
def commands_in(words: list[str]) -> list[list[str]]:
    """Those of a shell's line, or the one that the image's entry point gets."""
    if len(words) == 1 and "textdesk " in words[0]:
        return [part.split() for part in re.findall(r"textdesk ([^&|;]+)", words[0])]
    return [words]


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def test_the_compose_file_starts_commands_of_ours_with_no_more_rights_than_they_need():
    services = compose()
    ours = {name: one for name, one in services.items() if one.get("image") == f"textdesk:{VERSION}"}
    assert set(ours) == {"prepare", "web", "doors", "dispatch"}
    for one in ours.values():
        for words in commands_in(one["command"]):
            read_by_its_command(words)
        assert "cap_add" not in one
        assert set(one["environment"]) <= variables()
    (check,) = re.findall(
        r"CMD (\[.*\])$", (DEPLOY / "Containerfile").read_text().partition("HEALTHCHECK")[2], re.MULTILINE
    )[:1]
    for name in ("web", "doors"):
        assert ours[name]["healthcheck"]["test"] == ["CMD", *json.loads(check)], (
            "an image may come without its own"
        )
    for one in services.values():
        for mount in one.get("volumes", ()):
            if mount.startswith("."):
                assert (DEPLOY / mount.split(":")[0]).is_file(), mount


def test_each_container_of_the_compose_file_is_held_in():
    for name, one in compose().items():
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["restart"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["mem_limit"] and one["pids_limit"] and one["logging"]["options"]["max-size"], name


def test_whoever_serves_is_asked_for_its_health_after_the_same_time():
    (in_the_image,) = re.findall(r"--start-period=(\w+)", (DEPLOY / "Containerfile").read_text())
    for name in ("web", "doors", "postgresql", "proxy"):
        check = compose()[name]["healthcheck"]
        assert check["start_period"] == in_the_image, name
        assert check["test"] and check["interval"] and check["timeout"] and check["retries"], name
    for name in ("prepare", "dispatch"):
        assert compose()[name]["healthcheck"] == {"disable": True}, name


def test_the_steps_before_the_first_start_name_all_that_the_compose_file_asks_for():
    _, found, rest = DEPLOYING.read_text().partition("\n## Compose\n")
    steps = rest.partition("\n## ")[0]
    assert found
    whole = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    files = [one["env_file"] for one in whole["services"].values() if "env_file" in one]
    files += [one["file"] for one in whole["secrets"].values()]
    assert {f"deploy/{file}" for file in files} <= set(re.findall(r"deploy/\w[\w.]*", steps))
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    without = {
        "PUBLIC_URL",
        "DATABASE_URL",
        "SECRET_KEY",
        "FIELD_KEYS",
        "AUDIT_KEYS",
        "EMAIL_URL",
        "METRICS_TOKEN",
    }
    assert asked == {"SITE", "MONITORING"}
    assert asked | without <= set(re.findall(r"[A-Z_]{4,}", steps))
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {f"/deploy/{file}" for file in files} <= set(ignored)


def kubernetes() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "textdesk.yaml").read_text()))


def pods() -> list[tuple[str, dict[str, Any]]]:
    return [
        (one["metadata"]["name"], one["spec"]["template"]["spec"])
        for one in kubernetes()
        if "template" in one.get("spec", {})
    ]


def test_pods_start_commands_of_ours_with_no_more_rights_than_they_need():
    assert {name for name, _ in pods()} == {
        f"textdesk-{part}" for part in ("prepare", "web", "doors", "dispatch")
    }
    for _, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        volumes = {one["name"] for one in pod["volumes"]}
        for one in (*pod["containers"], *pod.get("initContainers", ())):
            assert one["image"] == f"textdesk:{VERSION}"
            read_by_its_command([str(word) for word in one["args"]])
            rights = one["securityContext"]
            assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert one["resources"]["limits"]["memory"] and one["resources"]["requests"]["memory"]
            mounted = {mount["name"] for mount in one["volumeMounts"]}
            assert mounted - volumes <= {"var"}, "a claim of its own"


def test_what_serves_is_probed_and_never_by_readiness_of_the_whole():
    """A database that is away would take every pod out, and with them the spool that keeps receipts."""
    serving = [
        one for name, pod in pods() for one in pod["containers"] if name in ("textdesk-web", "textdesk-doors")
    ]
    assert len(serving) == 2
    for one in serving:
        probes = [one[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe")]
        assert {probe["httpGet"]["path"] for probe in probes} == {"/healthz"}


def test_what_a_pod_writes_to_var_dir_outlives_it():
    """Spools, journals and the epoch; `prepare` leaves nothing there that is missed."""
    services = {one["metadata"]["name"] for one in kubernetes() if one["kind"] == "Service"}
    for name in ("textdesk-web", "textdesk-doors", "textdesk-dispatch"):
        (one,) = [
            one
            for one in kubernetes()
            if one["metadata"]["name"] == name and "template" in one.get("spec", {})
        ]
        assert one["kind"] == "StatefulSet" and one["spec"]["serviceName"] in services
        assert [claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]] == ["var"]
        assert "var" not in {volume["name"] for volume in one["spec"]["template"]["spec"]["volumes"]}


def test_monitoring_is_let_in_by_its_network_alone():
    found = {one["metadata"]["name"]: one for one in kubernetes() if one["kind"] == "Ingress"}
    (rule,) = found["textdesk-monitoring"]["spec"]["rules"]
    assert {(one["path"], one["pathType"]) for one in rule["http"]["paths"]} == {
        ("/metrics", "Exact"),
        ("/readyz", "Exact"),
    }
    assert (
        "nginx.ingress.kubernetes.io/whitelist-source-range"
        in found["textdesk-monitoring"]["metadata"]["annotations"]
    )


def test_every_part_may_be_disrupted_but_one_pod_stays():
    budgets = {one["metadata"]["name"] for one in kubernetes() if one["kind"] == "PodDisruptionBudget"}
    assert budgets == {"textdesk-web", "textdesk-doors", "textdesk-dispatch"}


def test_settings_of_the_cluster_are_variables_that_we_read():
    (settings,) = [one["data"] for one in kubernetes() if one["kind"] == "ConfigMap"]
    assert set(settings) <= variables()


def test_the_image_runs_as_nobody_in_particular_and_copies_what_is_there():
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001:10001"]
    copied = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert copied
    assert all((ROOT / path).exists() and goes_into_the_image(path) for path in copied if path != ".")


def test_each_volume_is_mounted_on_a_folder_of_the_images_user():
    """Docker gives a new volume the owner of the folder that it hides, and to root where there is none."""
    (made,) = re.findall(
        r"install --directory --owner=10001 --group=10001 --mode=0700 ([^\n]+)",
        (DEPLOY / "Containerfile").read_text(),
    )
    ours = [one for one in compose().values() if one["image"] == f"textdesk:{VERSION}"]
    mounted = {mount.split(":")[1] for one in ours for mount in one["volumes"]}
    for _, pod in pods():
        for one in (*pod["containers"], *pod.get("initContainers", ())):
            mounted |= {mount["mountPath"] for mount in one["volumeMounts"]}
    assert mounted - {"/tmp"} == set(made.split())


def goes_into_the_image(path: str) -> bool:
    """By `.dockerignore` as builders read it: the last line that fits decides, for the path or a folder above it."""
    kept = True
    above = [path, *(str(folder) for folder in Path(path).parents if folder != Path())]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        names = [Path(one).name for one in above] if "**/" in line else above
        if any(fnmatch(name, pattern) for name in names):
            kept = line.startswith("!")
    return kept


def test_the_image_is_built_of_the_package_and_of_no_secret():
    assert not (ROOT / ".containerignore").exists(), "podman would read it instead, and docker never"
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*wheel["packages"], *wheel["force-include"], "pyproject.toml", "requirements/run.txt"]
    assert [path for path in needed if not goes_into_the_image(path)] == []
    assert goes_into_the_image("portal/settings.py") and goes_into_the_image("docs/partners/quick-start.md")
    secret = (
        ".env",
        "deploy/.env",
        "deploy/textdesk.env",
        "deploy/postgres_password",
        ".git/config",
        "var/secret_key",
    )
    secret += (
        "var.audit_key",
        "var/textdesk.sqlite3",
        "portal/.env",
        "sms/copy.sqlite3-wal",
        "static/live.env",
    )
    beside = (
        "tests/conftest.py",
        ".venv/bin/python",
        "notes.txt",
        "docs/images/send.png",
        "docs/operators/audit.md",
    )
    assert [path for path in (*secret, *beside) if goes_into_the_image(path)] == []


# --- alerts -------------------------------------------------------------------------------------------------------------------
def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def asked_for(expression: str) -> set[str]:
    """Metrics by their own names, without what a histogram puts behind them."""
    found = set(re.findall(r"\btextdesk_[a-z_]+", expression))
    return {re.sub(r"_(bucket|count|sum)$", "", name) if "_seconds_" in name else name for name in found}


def test_prometheus_takes_the_rules():
    done = subprocess.run([tool("promtool"), "check", "rules", str(ALERTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len({rule["alert"] for rule in rules()}) == len(rules()) >= 20


def test_each_alert_fires_at_its_time_and_not_before():
    cases = ALERTS.with_name("alerts_test.yml")
    done = subprocess.run([tool("promtool"), "test", "rules", str(cases)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    looks = [one for case in yaml.safe_load(cases.read_text())["tests"] for one in case["promql_expr_test"]]
    asked = [(re.search(r'alertname="(\w+)"', one["expr"]), bool(one.get("exp_samples"))) for one in looks]
    seen = {(found[1], fires) for found, fires in asked if found}
    assert seen == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


def test_each_alert_asks_for_labels_that_its_metrics_have():
    rows = re.findall(r"^\| `(textdesk_\w+)` \| \w+ \| ([^|]*)\|", METRICS.read_text(), flags=re.MULTILINE)
    labels = {name: {"instance", *re.findall(r"`(\w+)`", said)} for name, said in rows}
    labels["up"] = {"instance", "job"}
    for rule in rules():
        known: set[str] = set()
        for name, matchers in re.findall(r"\b(textdesk_[a-z_]+|up)(?:\{([^}]*)\})?", rule["expr"]):
            of = labels[name if name in labels else name.removesuffix("_count")]
            assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= of, rule["alert"]
            known |= of
        grouped = " ".join(re.findall(r"\b(?:by|without|on) \(([^)]*)\)", rule["expr"]))
        assert set(re.findall(r"\w+", grouped)) <= known, rule["alert"]
        told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert told <= (set(re.findall(r"\w+", grouped)) or known) | {"instance"}, rule["alert"]


def test_jobs_that_come_seldom_are_told_of_the_first_time_they_break_off():
    (expression,) = [rule["expr"] for rule in rules() if rule["alert"] == "TextdeskJobsBreakOff"]
    (named,) = re.findall(r'job=~"([^"]+)"', expression)
    assert set(named.split("|")) == {one.name for one in JOBS if one.comes_seldom}


def test_each_alert_has_its_runbook_and_each_runbook_its_alert():
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]
    named = {path.stem for path in (ROOT / "docs" / "operators").glob("*.md")}
    assert set(re.findall(r"\]\((\w[\w-]*)\.md", RUNBOOKS.read_text())) <= named
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operators/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_commands_of_the_documents_are_ours():
    said = []
    for path in (RUNBOOKS, DEPLOYING, DEPLOY / "compose.yaml", DEPLOY / "kubernetes" / "textdesk.yaml"):
        said += re.findall(r"(?:`|-- |web |bin/)textdesk (\w[^`\n,]+)", path.read_text())
    assert len(said) > 12
    for command in said:
        read_by_its_command(shlex.split(command))


def dashboard() -> list[str]:
    panels = json.loads((DEPLOY / "grafana" / "textdesk.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_metrics_that_there_are():
    if not METRICS.exists():
        pytest.skip("docs/operators/metrics.md lists them, and is not there")
    listed = set(re.findall(r"`(textdesk_[a-z_]+)`", METRICS.read_text()))
    asked = set[str]().union(*map(asked_for, [*(rule["expr"] for rule in rules()), *dashboard()]))
    assert len(asked) > 20
    assert asked - listed == set()


@pytest.mark.parametrize("expression", dashboard())
def test_the_dashboard_asks_what_prometheus_understands(expression, tmp_path):
    rule = {"groups": [{"name": "dashboard", "rules": [{"record": "x", "expr": expression}]}]}
    path: Path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(rule))
    done = subprocess.run([tool("promtool"), "check", "rules", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- PostgreSQL and PgBouncer --------------------------------------------------------------------------------------------------
@pytest.mark.postgresql
@pytest.mark.django_db
def test_postgresql_knows_each_setting_that_we_write():
    text = (DEPLOY / "postgresql" / "textdesk.conf").read_text()
    written = dict(re.findall(r"^([a-z_]+) = ('[^']*'|[^\s#]+)", text, flags=re.MULTILINE))
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(name) FROM pg_settings")
        known = {name for (name,) in cursor.fetchall()}
    assert len(written) > 20
    assert set(written) - known == set()


def test_postgresql_has_room_for_the_connections_of_two_hosts():
    """As docs/operators/deploying.md counts them: a server for people and one for machines, two workers each, and a dispatcher."""
    text = (DEPLOY / "postgresql" / "textdesk.conf").read_text()
    (most,) = re.findall(r"^max_connections = (\d+)", text, flags=re.MULTILINE)
    needed = 2 * (4 * 24 + len(loops())) + 20
    assert int(most) >= needed
    table = DEPLOYING.read_text()
    assert f"| 2 hosts: {needed} | 2 hosts: {needed} |" in table


def test_pgbouncer_keeps_nothing_of_a_session_and_enough_connections():
    parser = configparser.ConfigParser()
    parser.read(DEPLOY / "pgbouncer" / "pgbouncer.ini")
    pool = parser["pgbouncer"]
    assert pool["pool_mode"] == "transaction"
    assert "options" in pool["ignore_startup_parameters"]
    said = (
        (ROOT / "docs" / "operators" / "database.md")
        .read_text()
        .partition("## PgBouncer")[2]
        .partition("\n## ")[0]
    )
    written = re.findall(r"`(\w+) = (\w+)`", said)
    assert len(written) == 3
    assert [(name, pool.get(name)) for name, _ in written] == written
