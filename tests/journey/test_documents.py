"""What the API's and the callbacks' documents offer to paste, pasted: into one shell, in their order, beside a running Textdesk."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, free_port, textdesk

pytestmark = pytest.mark.sqlite  # the documents begin with `make run`
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SHOWN = {"json"}  # to look at, not to run


def script_of(*documents: str) -> str:
    """Every block as a reader would take it: shell is typed, Python goes to the interpreter, or into the file that it names."""
    lines = ["set -euo pipefail"]
    for document in documents:
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        for at, (kind, block) in enumerate(BLOCK.findall(text)):
            if kind in SHOWN:
                continue
            lines.append(f"echo '--- {Path(document).name} {at}'")
            name = re.match(r"# (\w+\.py)\n", block)
            if kind == "sh":
                lines.append(block)
            else:
                assert kind == "python", f"{document} has a block in {kind}, which nothing here runs"
                taker = f"cat > {name[1]}" if name else "python3 -"
                lines.append(f"{taker} <<'END OF BLOCK'\n{block}END OF BLOCK")
    return "\n".join(lines)


def paste(script: str, folder: Path, env: dict[str, str]) -> str:
    """Run it beside `manage.py`; returns what a reader would see. An answer that is an error ends it."""
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "manage.py").symlink_to(ROOT / "manage.py")
    (folder / ".curlrc").write_text('fail-with-body\nwrite-out = "\\n"\n')
    path = f"{folder}/.venv/bin:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=env | {"PATH": path, "CURL_HOME": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        shown, _ = process.communicate(script, timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, shown
    return shown


def test_every_block_of_the_partner_documents_works_as_it_stands(var_dir, prepared_database_url, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the documents use it")
    folder = tmp_path / "pasted"
    folder.mkdir()
    with textdesk(var_dir, prepared_database_url) as running:
        env = running.env | {"DESK": running.url, "PORT": str(free_port())}
        shown = paste(
            script_of("partners/api.md", "partners/older-apis.md", "partners/callbacks.md"), folder, env
        )
    parts = dict(
        part.split("\n", 1) for part in re.split(r"^--- ", shown, flags=re.MULTILINE)[1:] if "\n" in part
    )
    assert "{'delivered': 1, 'failed': 1}" in parts["api.md 2"], shown
    assert re.search(r"400 \{'code': '7004'", parts["api.md 6"]), shown
    assert "_1 Un-Delivered" in parts["api.md 6"] and " Delivered" in parts["api.md 6"], shown
    assert re.search(r"[3-6] delivered", parts["api.md 9"]), shown
    ids = re.findall(r'"messageId":"([^"]+)"', parts["api.md 14"])
    assert len(ids) == 2 and ids[0] == ids[1], shown
    assert '"messageId"' in parts["older-apis.md 0"], shown
    assert '"code":"1001"' in parts["older-apis.md 1"], shown
    assert sorted(line.split()[0] for line in parts["callbacks.md 3"].splitlines()[-2:]) == [
        "message.delivered",
        "message.failed",
    ], shown
    assert '"replayed":2' in parts["callbacks.md 3"], shown
