"""Tests about the repository itself: what the documents promise exists, and nothing is committed that must not be."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import AddField, CreateModel
from django.db.migrations.loader import MigrationLoader

from portal.models import User
from sms import VERSION
from sms.compliance.personal_columns import personal_of
from tests.architecture import tree_of
from tests.environment import ROOT, variables

# Written in two parts, so that this file does not find itself.
REGISTRY_HOSTS = [
    "".join(parts)
    for parts in (("pypi", ".org"), ("python", "hosted.org"), ("npm", "js.org"), ("npm", "js.com"))
]
MACHINE_PATHS = re.compile(r"/(?:home|Users)/[a-z]\w+|/(?:root|work|workspace)/\w")
LARGEST = 2_000_000  # bytes
IGNORED_FOLDERS = {
    ".git",
    ".venv",
    "var",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}


def _files() -> list[Path]:
    """What git holds or would add; in a source archive, every file that is not generated."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not IGNORED_FOLDERS & set(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file()]


def _texts() -> list[tuple[Path, str]]:
    found = []
    for path in _files():
        try:
            found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE))


# --- Documents --------------------------------------------------------------------------------------------------------------
DOCUMENTS = [
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "deploy/README.md"),
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/**/*.md"))),
]
# They lead newcomers to code, so each path in them exists. Decisions tell of the tree as it was.
GUIDES = ["README.md", "CONTRIBUTING.md", "docs/architecture.md"]
PATH_IN_CODE = re.compile(r"`((?:sms|portal|tests|static|templates|requirements)/[^`\s]*)`")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_in_documents_exist(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    commands = {
        path.stem for folder in ("sms", "portal") for path in (ROOT / folder).glob("management/commands/*.py")
    }
    commands |= {
        "createsuperuser",
        "migrate",
        "collectstatic",
        "check",
        "qcluster",
        "shell",
        "makemigrations",
        "compilemessages",
        "spectacular",
    }
    in_code = " \n".join(
        re.findall(r"`([^`\n]+)`", text) + re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
    )
    missing = {f"make {word}" for word in re.findall(r"\bmake ([a-z]+)", in_code) if word not in targets}
    missing |= {
        f"manage.py {word}" for word in re.findall(r"manage\.py ([a-z_]+)", in_code) if word not in commands
    }
    assert not missing, f"{document} names commands that do not exist"


@pytest.mark.parametrize("document", GUIDES)
def test_paths_in_guides_exist(document):
    named = PATH_IN_CODE.findall((ROOT / document).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(named) >= 3, "the pattern finds paths"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_in_documents_lead_to_files(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_readme_shows_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in text
    assert "make test" in text


def test_changelog_begins_with_the_version_of_the_package():
    newest = re.search(
        r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert newest is not None
    assert newest[1] == VERSION


def test_env_example_lists_exactly_the_variables_that_settings_read():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))
    assert listed == variables()


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


# Settings come in by one door. Crash points are no setting: a fault test arms them in a process of its own.
READERS = {"portal/env.py", "sms/ledger/crash_points.py"}


def test_environment_is_read_by_the_readers_only():
    reads = [
        path.as_posix()
        for path, text in _texts()
        if path.suffix == ".py" and path.parts[0] in {"portal", "sms"} and path.as_posix() not in READERS
        if re.search(r"os\.(environ\.get|environ\[[^]]+\](?!\s*=)|getenv)", text)
    ]
    assert reads == []


# --- What is committed --------------------------------------------------------------------------------------------------------
def test_no_registry_host_is_committed():
    assert _lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS)))) == []


def test_no_path_of_a_machine_is_committed():
    here = "|".join(re.escape(str(path)) for path in {ROOT, Path.home()} if len(path.parts) > 2)
    pattern = re.compile(f"{MACHINE_PATHS.pattern}|{here}" if here else MACHINE_PATHS.pattern)
    assert _lines_with(pattern) == []


def test_no_secret_key_material_is_committed():
    assert _lines_with(re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")) == []
    assert not [path for path in _files() if path.name == ".env"]


def test_nothing_that_a_tool_made_is_committed():
    """Packages and archives, which nobody reads, and files larger than any that a person writes."""
    made = {".whl", ".zip", ".gz", ".tgz", ".xz", ".jar", ".so", ".pyc", ".sqlite3", ".dump"}
    assert [str(path) for path in _files() if path.suffix in made or path.stat().st_size > LARGEST] == []


def test_no_unfinished_marker_is_committed():
    marker = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X:")))
    assert _lines_with(marker) == []


def test_patterns_for_paths_and_hosts_catch_planted_lines():
    assert MACHINE_PATHS.search("file:///ho" + "me/ada/textdesk")
    assert not MACHINE_PATHS.search("/homepage and /workbench/")
    assert re.search("|".join(map(re.escape, REGISTRY_HOSTS)), "https://" + "pypi" + ".org/simple")


@pytest.mark.parametrize("name", ["manage.py", ".ci/run"])
def test_scripts_are_programs(name):
    assert (ROOT / name).read_text(encoding="utf-8").startswith("#!")
    assert name != ".ci/run" or os.access(ROOT / name, os.X_OK)


# --- Requirements -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_requirements_hold_hashes_and_no_address(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", text, flags=re.MULTILINE
    )
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 40
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_development_requirements_hold_every_pin_of_the_run_requirements():
    run, dev = _pins("run.txt"), _pins("dev.txt")
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}


def test_every_dependency_is_pinned_in_the_requirements():
    project = _pyproject()
    declared = project["project"]["dependencies"]
    for group in ("test", "e2e", "lint"):
        declared += project["dependency-groups"][group]
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in declared}
    assert names - set(_pins("dev.txt")) == set()


def test_every_dependency_has_its_reason_beside_it():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)[1]
    assert [line for line in block.splitlines() if line.strip() and "#" not in line] == []


# --- Personal data -------------------------------------------------------------------------------------------------------------
# a date, a switch, a small number or a key tells nothing of a person by itself; any other kind of column, a new one too, may
SILENT = (
    *(models.BooleanField, models.DateField, models.TimeField, models.DurationField, models.ForeignKey),
    *(models.DecimalField, models.FloatField, models.IntegerField),
)
SHORTEST = 7  # characters of a number


def _can_say_a_number(field: models.Field) -> bool:
    if field.choices or (field.max_length or SHORTEST) < SHORTEST:
        return False
    large = isinstance(field, (models.BigIntegerField, models.PositiveBigIntegerField))
    return not isinstance(field, (*SILENT, models.AutoField)) or (large and not field.primary_key)


def test_every_column_that_can_hold_a_number_says_whether_it_is_about_a_person():
    """A new column: name it in `personal` of its model (or in `portal/personal.py`), so that retention, erasure and subject access
    know of it."""
    counts = {  # ids, counts and places in files, by the names that they have everywhere
        *(
            "id",
            "size",
            "offset",
            "minute",
            "place",
            "receipts_place",
            "done",
            "total",
            "message_id",
            "send_id",
        ),
        *("first_id", "last_id", "first_send", "last_send", "service_id", "profile_id", "clicks", "messages"),
    }
    missing, gone = [], []
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        if model._meta.proxy:
            continue
        listed = personal_of(model).kinds
        columns = {field.name: field for field in model._meta.concrete_fields}
        gone += [f"{label}.{name}" for name in listed if name not in columns]
        for name, field in columns.items():
            counted = name in counts and isinstance(field, models.IntegerField)
            if _can_say_a_number(field) and name not in listed and not counted:
                missing.append(f"{label}.{name}")
    assert missing == [], (
        "say in `personal` of the model, or in portal/personal.py, of what kind these columns are"
    )
    assert gone == [], "these columns are no more"


def test_a_column_of_any_kind_and_any_application_would_be_missed():
    """What the test above asks of each column, of columns that somebody might add."""
    for field in (
        models.CharField(max_length=16),
        models.TextField(),
        models.JSONField(),
        models.BinaryField(),
        models.BigIntegerField(),
        models.UUIDField(),
        models.Field(),
    ):
        assert _can_say_a_number(field), field
    for field in (
        models.CharField(max_length=2),
        models.IntegerField(),
        models.DateTimeField(),
        models.BooleanField(),
    ):
        assert not _can_say_a_number(field), field
    assert User.personal.numbers == ("own_number",)


# --- Migrations ----------------------------------------------------------------------------------------------------------------
# An installation is upgraded while processes of the version before still run.
def _added(app: str) -> Iterator[tuple[str, str]]:
    """Model and column of everything that was added to a table which was there before."""
    for (label, _), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if label != app:
            continue
        made = {one.name_lower for one in migration.operations if isinstance(one, CreateModel)}
        for one in migration.operations:
            if isinstance(one, AddField) and one.model_name_lower not in made:
                yield one.model_name_lower, one.name


@pytest.mark.parametrize("app", ["portal", "sms"])
def test_a_column_that_was_added_has_a_default_in_the_database(app):
    """A process of the version before does not name it when it inserts a row. Give the model `db_default` beside `default`."""
    missing = []
    for model, name in _added(app):
        fields = {field.name: field for field in apps.get_model(app, model)._meta.concrete_fields}
        field = fields.get(name)  # None where it is gone by now, or has a table of its own
        if field is not None and not (field.null or field.has_db_default()):
            missing.append(f"{model}.{name}")
    assert missing == []


def test_no_pattern_has_a_possessive_group():
    """Before Python 3.11.5 one loses its place where what it repeats has to try twice (CPython issue 106052): (?>(…)*) does the same."""
    possessive = re.compile(r"(?<!\()\)(?:[*+?]|\{[^()\s]*\})\+")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("portal", "sms")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if possessive.search(line)
    ]
    assert found == []


# --- Tests --------------------------------------------------------------------------------------------------------------------
def _unexplained(tree: ast.AST) -> list[int]:
    """Lines that skip a test or expect it to fail without saying why."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="skip" | "skipif" | "xfail" as kind, value=owner),
                args=args,
                keywords=keywords,
            ):
                words = {keyword.arg for keyword in keywords}
                by_position = bool(args) and (kind == "skip" or isinstance(owner, ast.Name))
                if not by_position and "reason" not in words:
                    found.append(node.lineno)
            case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
                found += [
                    d.lineno
                    for d in decorators
                    if isinstance(d, ast.Attribute) and d.attr in {"skip", "xfail"}
                ]
    return found


def test_no_test_is_skipped_without_a_reason():
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        found += [f"{path.relative_to(ROOT)}:{line}" for line in _unexplained(tree_of(path))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("@pytest.mark.skip\ndef test_a(): pass", [1]),
        ("@pytest.mark.skipif(True)\ndef test_a(): pass", [1]),
        ("@pytest.mark.xfail()\ndef test_a(): pass", [1]),
        ("pytest.skip()", [1]),
        ("@pytest.mark.skip(reason='no disk')\ndef test_a(): pass", []),
        ("pytest.skip('no disk')", []),
    ],
)
def test_unexplained_skip_is_found(source, lines):
    assert _unexplained(ast.parse(source)) == lines


def test_no_command_hides_another_of_the_same_name():
    """`manage.py` takes the one of the app that is installed first, and says nothing about the other."""
    names = [
        path.stem
        for path in ROOT.glob("*/management/commands/*.py")
        if path.stem != "__init__" and path.parts[-4] in ("portal", "sms")
    ]
    assert sorted(names) == sorted(set(names))
