"""One running Textdesk for the journeys that only need that it runs: starting it takes longer than most journeys.

A journey looks at its own send, and none inherits another's opt-outs. Those about starting and stopping start their own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import databases
from tests.support.processes import ROOT, textdesk


@pytest.fixture(scope="package")
def shared_textdesk(migrated_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("textdesk")
    with databases.copied(migrated_database_url, folder) as url, textdesk(folder, url) as up:
        yield up


@pytest.fixture
def running(shared_textdesk):
    shared_textdesk.manage(
        "shell", "--no-imports", "-c", "from sms.models import OptOut; OptOut.objects.all().delete()"
    )
    return shared_textdesk


@pytest.fixture(scope="session")
def python_client(tmp_path_factory) -> Path:
    """A folder with the client package in it, built and installed as partners do, without a look at the network."""
    folder = tmp_path_factory.mktemp("client")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    made = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT / "clients" / "python"]
    subprocess.run([*pip, *made], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", folder, wheel], check=True)
    return folder
