"""The package as `pip wheel .` makes it, installed outside the checkout: `textdesk up --demo` in an empty folder works whole."""

import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from pathlib import Path

import pytest

from sms import VERSION
from tests.support.processes import OURS, ROOT, free_port, until

pytestmark = pytest.mark.sqlite  # what an empty folder gets


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of programs of an environment with the package, and with our own libraries."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    make = [*pip, "wheel", "-qq", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(make, check=True)
    (wheel,) = folder.glob("textdesk-*.whl")
    assert wheel.name.startswith(f"textdesk-{VERSION}-")
    venv.create(folder / "venv", symlinks=True)
    place = folder / "venv" / "bin"
    subprocess.run(
        [*pip, "--python", str(place / "python"), "install", "-qq", "--no-deps", "--no-index", str(wheel)],
        check=True,
    )
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    libraries = sysconfig.get_paths()["purelib"]
    (folder / "venv" / "lib" / version / "site-packages" / "ours.pth").write_text(f"{libraries}\n")
    return place


def test_it_runs_whole_in_an_empty_folder(installed, tmp_path, migrated_database_url):
    """Empty but for the tables, which take longest."""
    (tmp_path / "var").mkdir()
    shutil.copyfile(migrated_database_url.removeprefix("sqlite:///"), tmp_path / "var" / "textdesk.sqlite3")
    env = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in OURS}
    env.pop("PYTHONPATH", None)
    textdesk = str(installed / "textdesk")
    said = subprocess.run([textdesk, "--version"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert said.stdout == f"{VERSION}\n", said.stderr
    port, sandbox_port = free_port(), free_port()
    log = tmp_path / "up.log"
    with log.open("wb") as out:
        up = subprocess.Popen(
            [textdesk, "up", "--demo", "--port", str(port), "--sandbox-port", str(sandbox_port)],
            cwd=tmp_path,
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: "Ctrl-C stops it" in log.read_text() or up.poll() is not None, "it is up")
        assert up.poll() is None, log.read_text()
        here = f"http://127.0.0.1:{port}"
        for path, shows in (("/accounts/login/", "Sign in"), ("/api/docs/", "Quick start")):
            with urllib.request.urlopen(here + path, timeout=60) as answer:
                page = answer.read().decode()
            assert shows in page
        sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
        with urllib.request.urlopen(here + sheet, timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/css")
        (tmp_path / "people.csv").write_text("phone\n+447700900001\n")
        sent = subprocess.run(
            f"{textdesk} send --service demo --sender TEXTDESK --text Hi --audience people.csv --wait --json".split(),
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
        )
        assert '"states": {"delivered": 1}' in sent.stdout, sent.stdout + sent.stderr
    finally:
        up.terminate()
        up.wait(60)
