"""A command of an installed Textdesk that was told of no database, as in a shell of root."""

import os
import shutil
import subprocess
import sys

from tests.environment import ROOT


def test_it_refuses_and_makes_neither_a_database_nor_keys(tmp_path):
    package, folder = tmp_path / "package", tmp_path / "folder"
    folder.mkdir()
    for name in ("portal", "sms"):  # as installed: without a manage.py beside them
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "VAR_DIR")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "portal", "take_in_kept"],
        cwd=folder,
        env=env | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.startswith("Textdesk cannot start: DATABASE_URL is not set, and there is no "), (
        done.stderr
    )
    assert list(folder.iterdir()) == []
