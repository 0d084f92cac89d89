"""Real processes: what they keep on disk is their owner's alone, what they refuse to start with, and what their logs say."""

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, environment

HTTPS = {"PUBLIC_URL": "https://desk.example"}
SECRET = "an-old-secret-key-that-was-in-use-before-the-new-one-came-along"


def manage(env: dict[str, str], *arguments: str, umask: str = "000") -> subprocess.CompletedProcess[str]:
    """Under a umask that lets everybody read."""
    command = f'umask {umask}; exec "{sys.executable}" manage.py "$@"'
    return subprocess.run(
        ["sh", "-c", command, "manage", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )


def embedded(tmp_path: Path, **more: str) -> tuple[Path, dict[str, str]]:
    folder, keys = tmp_path / "state", tmp_path / "keys"
    keys.mkdir(exist_ok=True)
    env = environment(keys, "") | {"VAR_DIR": str(folder)}
    for name in ("DATABASE_URL", "SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS"):
        env.pop(name)
    return folder, env | more


@pytest.fixture
def with_tables(migrated_database_url, tmp_path):
    """The folder of a database that was migrated before."""
    folder = tmp_path / "state"
    folder.mkdir()
    shutil.copyfile(migrated_database_url.removeprefix("sqlite:///"), folder / "textdesk.sqlite3")
    return folder


def wide(folder: Path) -> list[str]:
    found = [folder, *folder.iterdir()]
    return [path.name for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.mark.sqlite
def test_what_an_older_version_left_open_is_closed_at_the_next_start(tmp_path):
    folder, env = embedded(tmp_path)
    assert manage(env, "migrate", "-v", "0").returncode == 0
    assert wide(folder) == []
    for suffix in ("", "-wal", "-shm"):
        (folder / f"textdesk.sqlite3{suffix}").touch()
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o644)
    assert manage(env, "check").returncode == 0
    assert wide(folder) == []


@pytest.mark.parametrize(
    ("set_to", "why"),
    [
        ({"DEBUG": "true"} | HTTPS, "PUBLIC_URL is https"),
        ({"DEBUG": "true", "DATABASE_URL": "postgres://a:b@127.0.0.1:1/c"}, "DATABASE_URL is PostgreSQL"),
    ],
)
def test_error_pages_with_details_are_refused_in_production(tmp_path, set_to, why):
    _, env = embedded(tmp_path)
    refused = manage(env | set_to, "check")
    assert refused.returncode != 0
    assert f"DEBUG is true, and {why}" in refused.stderr
    assert "Traceback" not in refused.stderr


ASKS = """
from django.test import Client
for host in ("desk.example", "localhost", "127.0.0.1:6666", "evil.example"):
    client = Client(headers={"host": host})
    print(host, *(client.get(path, secure=True).status_code for path in ("/accounts/login/", "/healthz", "/readyz")))
"""


@pytest.mark.sqlite
def test_a_production_desk_answers_pages_under_its_own_name_and_health_under_any(tmp_path, with_tables):
    _, env = embedded(tmp_path, **HTTPS)
    manage(env, "collectstatic", "--no-input", "-v", "0")
    said = manage(env, "shell", "-v", "0", "-c", ASKS).stdout
    assert re.findall(r"^(\S+) (\d+) (\d+) (\d+)$", said, re.MULTILINE) == [
        ("desk.example", "200", "200", "200"),
        ("localhost", "400", "200", "200"),
        ("127.0.0.1:6666", "400", "200", "200"),
        ("evil.example", "400", "200", "200"),
    ]


SIGNS = "from django.core import signing; print('SIGNED', signing.dumps('x'))"
READS = "from django.core import signing; print('READ', signing.loads({!r}))"


@pytest.mark.sqlite
def test_what_the_key_before_signed_holds_on(tmp_path):
    _, env = embedded(tmp_path, SECRET_KEY=SECRET)
    signed = re.search(r"SIGNED (\S+)", manage(env, "shell", "-v", "0", "-c", SIGNS).stdout)[1]
    (tmp_path / "before").write_text(SECRET)
    newer = env | {"SECRET_KEY": SECRET[::-1]}
    assert "READ x" not in manage(newer, "shell", "-v", "0", "-c", READS.format(signed)).stdout
    newer |= {"SECRET_KEY_FALLBACKS_FILE": str(tmp_path / "before")}
    assert "READ x" in manage(newer, "shell", "-v", "0", "-c", READS.format(signed)).stdout
    short = manage(env | {"SECRET_KEY_FALLBACKS": "short"}, "check")
    assert "SECRET_KEY_FALLBACKS holds a key of 5 characters" in short.stderr


WRITES = """
from sms.models import Actor
from sms.models.audit import audit
audit("user.signed_out", noun="user", key=1, by=Actor.system("cli"))
"""


@pytest.mark.sqlite
def test_the_key_of_the_audit_leaves_the_folder_of_the_database_and_its_rows_still_hold(
    tmp_path, with_tables
):
    folder, env = embedded(tmp_path)
    assert manage(env, "check").returncode == 0
    outside = tmp_path / "state.audit_key"
    assert not (folder / "audit_key").exists() and outside.stat().st_mode & 0o077 == 0
    # as an older version left it
    (folder / "audit_key_is_at").unlink()
    outside.rename(folder / "audit_key")
    manage(env, "shell", "-v", "0", "-c", WRITES)
    assert not (folder / "audit_key").exists()
    holds = manage(env, "verify_audit")
    assert holds.returncode == 0, holds.stdout + holds.stderr
    # moved with the folder's note
    folder.rename(tmp_path / "elsewhere")
    moved = env | {"VAR_DIR": str(tmp_path / "elsewhere")}
    assert manage(moved, "verify_audit").returncode == 0
    outside.rename(tmp_path / "put-away")
    lost = manage(moved, "check")
    assert lost.returncode != 0 and "The audit's key was kept in" in lost.stderr
    assert "Traceback" not in lost.stderr
    given = moved | {"AUDIT_KEYS_FILE": str(tmp_path / "put-away")}
    assert manage(given, "verify_audit").returncode == 0
