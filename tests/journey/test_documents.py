"""What the documentation at /api/docs/ offers to copy, pasted as it is served: into one shell, in the order of the navigation, beside the
Textdesk that served it."""

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.support.processes import ROOT, free_port, textdesk

pytestmark = pytest.mark.sqlite  # a Textdesk as `make run` starts it
BLOCK = re.compile(r'<code class="language-(\w+)">(.*?)</code></pre>', flags=re.DOTALL)
SHOWN = {"json"}  # to look at, not to run
CLIENT = ROOT / "clients" / "python"
# the sandbox's blocks call its own port, and are tried in tests/sandbox
ELSEWHERE = {"sandbox"}


def pages_of(url: str) -> list[str]:
    """Names of the pages, in the order of the navigation."""
    with urllib.request.urlopen(f"{url}/api/docs/", timeout=60) as answer:
        found = re.findall(r'href="/api/docs/([\w-]+)/"', answer.read().decode())
    return [name for name in dict.fromkeys(found) if name not in {"reference"} | ELSEWHERE]


def script_of(url: str, *names: str) -> str:
    """Every block as a reader would take it: shell is typed, Python goes to the interpreter, or into the file that it names."""
    lines = ["set -euo pipefail"]
    for page in names:
        with urllib.request.urlopen(f"{url}/api/docs/{page}/", timeout=60) as answer:
            text = answer.read().decode()
        for at, (kind, escaped) in enumerate(BLOCK.findall(text)):
            block = html.unescape(escaped)
            if kind in SHOWN:
                continue
            lines.append(f"echo '--- {page} {at}'")
            name = re.match(r"# (\w+\.py)\n", block)
            if kind == "sh":
                lines.append(block)
            else:
                assert kind == "python", f"{page} has a block in {kind}, which nothing here runs"
                taker = f"cat > {name[1]}" if name else "python3 -"
                lines.append(f"{taker} <<'END OF BLOCK'\n{block}END OF BLOCK")
    return "\n".join(lines)


def readme_block() -> str:
    """The one of the client's own page, which no Textdesk serves."""
    (block,) = re.findall(r"```python\n(.*?)```", (CLIENT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    return block


def paste(script: str, folder: Path, env: dict[str, str], typed: str) -> str:
    """Run it, and type the key where it is asked for; returns what a reader would see. An answer that is an error ends it."""
    (folder / "script.sh").write_text(script)
    (folder / ".curlrc").write_text('fail-with-body\nwrite-out = "\\n"\n')
    path = f"{sys.prefix}/bin:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "script.sh"],
        cwd=folder,
        env=env | {"PATH": path, "CURL_HOME": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        shown, _ = process.communicate(f"{typed}\n", timeout=300)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, shown
    return shown


def test_every_block_of_the_documentation_works_as_it_is_served(
    var_dir, prepared_database_url, tmp_path, python_client
):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the documents use it")
    folder = tmp_path / "pasted"
    folder.mkdir()
    with textdesk(var_dir, prepared_database_url) as running:
        scopes = "send,read,callbacks,optouts,catalogue"
        key = running.manage("api_key", "--service", "demo", "--name", "Shop", "--scopes", scopes)
        env = running.env | {"PORT": str(free_port()), "PYTHONPATH": str(python_client), "DESK": running.url}
        script = script_of(running.url, *pages_of(running.url))
        script += f"\necho '--- README 0'\npython3 - <<'END OF BLOCK'\n{readme_block()}END OF BLOCK\n"
        assert f"export DESK={running.url}\n" in script
        shown = paste(script, folder, env, key.stdout.strip())
    said: dict[str, str] = {}
    _, *parts = re.split(r"^--- ([\w-]+) \d+$", shown, flags=re.MULTILINE)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        said[name] = said.get(name, "") + text
    assert "{'delivered': 1, 'failed': 1}" in said["quick-start"], shown
    assert re.search(r"400 \{'code': '7004'", said["migrating"]), shown
    assert "_1 Un-Delivered" in said["migrating"] and " Delivered" in said["migrating"], shown
    assert re.search(r"^\d+ delivered$", said["api"], flags=re.MULTILINE), shown
    # the last block of that page sends one code twice
    ids = re.findall(r'"messageId":"([^"]+)"', said["api"])
    assert len(ids) == 2 and ids[0] == ids[1], shown
    assert '"messageId"' in said["older-apis"] and '"code":"1001"' in said["older-apis"], shown
    told = set(re.findall(r"^(message\.\w+) \{", said["callbacks"], flags=re.MULTILINE))
    assert told == {"message.delivered", "message.failed"}, shown
    assert re.search(r'"replayed":[2-9]', said["callbacks"]), shown
    assert '"delivered":true' in said["callbacks"] and "a batch of " in said["callbacks"], shown
    assert "message.delivered" in said["events"] and "message.failed" in said["events"], shown
    assert "settled {'delivered': 1, 'failed': 1}" in said["python-client"], shown
    assert re.search(r"^(400|422) \w+$", said["python-client"], flags=re.MULTILINE), shown
    assert "settled {'delivered': 1}" in said["README"], shown


def test_requests_of_the_postman_collection_work_as_they_stand(running):
    made = running.manage("api_key", "--service", "demo", "--name", "Postman", "--scopes", "send,read")
    with urllib.request.urlopen(
        f"{running.url}/api/docs/textdesk.postman_collection.json", timeout=60
    ) as answer:
        collection = json.load(answer)
    filled = {one["key"]: one["value"] for one in collection["variable"]} | {"key": made.stdout.strip()}
    filled["$guid"] = str(uuid.uuid4())
    (sends,) = (folder["item"] for folder in collection["item"] if folder["name"] == "sends")

    def fill(text: str) -> str:
        return re.sub(r"\{\{([^}]+)\}\}", lambda found: filled[found[1]], text)

    seen = []
    for item in sends:
        request = item["request"]
        if ":id" in request["url"]["raw"]:
            continue
        sent = {one["key"]: fill(one["value"]) for one in request["header"] if not one.get("disabled")}
        auth = {one["key"]: fill(one["value"]) for one in collection["auth"]["apikey"]}
        body = request["body"]["raw"].encode() if "body" in request else None
        asked = urllib.request.Request(
            fill(request["url"]["raw"]), body, sent | {auth["key"]: auth["value"]}, method=request["method"]
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            seen.append((request["method"], answer.status))
    assert seen == [("GET", 200), ("POST", 201), ("POST", 200)]
