"""Clients that give no length, at every kind of address of a running Textdesk: `python -m tests.bench.clients`.

One JSON line for each client: the status that each address answered with, or why it did not run. The last line says how many failed.
"""

import json
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Textdesk, textdesk

CURL = ("curl", "-sS", "-o", "/dev/null", "-w", "%{{http_code}}", "-X", "{method}", "-H", "key: {key}")
NODE_WRITE = """
const [method, url, key, file] = process.argv.slice(2), http = require("http"), fs = require("fs")
const headers = { key, "Content-Type": "application/json" }
const request = http.request(url, { method, headers }, (answer) => { process.stdout.write(String(answer.statusCode)); answer.resume() })
request.write(fs.readFileSync(file)); request.end()
"""
NODE_FETCH = """
const [method, url, key, file] = process.argv.slice(2), fs = require("fs")
const body = new Blob([fs.readFileSync(file)]).stream(), headers = { key, "Content-Type": "application/json" }
fetch(url, { method, headers, body, duplex: "half" }).then((answer) => process.stdout.write(String(answer.status)))
"""
JAVA_CLIENT = """
import java.net.URI; import java.net.http.*; import java.nio.file.*;
class Send { public static void main(String[] a) throws Exception {
  var body = HttpRequest.BodyPublishers.ofInputStream(() -> {
    try { return Files.newInputStream(Path.of(a[3])); } catch (java.io.IOException e) { throw new RuntimeException(e); } });
  var request = HttpRequest.newBuilder(URI.create(a[1])).header("key", a[2])
    .header("Content-Type", "application/json").method(a[0], body).build();
  System.out.print(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode()); } }
"""
JAVA_CONNECTION = """
import java.net.*; import java.nio.file.*;
class Send { public static void main(String[] a) throws Exception {
  var asked = (HttpURLConnection) new URL(a[1]).openConnection();
  asked.setRequestMethod(a[0]); asked.setRequestProperty("key", a[2]); asked.setRequestProperty("Content-Type", "application/json");
  asked.setDoOutput(true); asked.setChunkedStreamingMode(0);
  try (var out = asked.getOutputStream()) { Files.copy(Path.of(a[3]), out); }
  System.out.print(asked.getResponseCode()); } }
"""
GO = """
package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
  file, _ := os.Open(os.Args[4])
  asked, _ := http.NewRequest(os.Args[1], os.Args[2], io.NopCloser(file))
  asked.Header.Set("key", os.Args[3]); asked.Header.Set("Content-Type", "application/json")
  answer, failed := http.DefaultClient.Do(asked)
  if failed != nil { panic(failed) }
  fmt.Print(answer.StatusCode)
}
"""


@dataclass(frozen=True)
class Program:
    """`command` gets method, address, key and file; `{source}` in it is the file of `source`."""

    name: str
    command: tuple[str, ...]
    file: str = ""
    source: str = ""
    methods: tuple[str, ...] = ("POST", "PATCH")


ASKED = ("{method}", "{url}", "{key}", "{file}")
PIPED = ("-H", "Content-Type: application/json", "-H", "Expect:", "-T", "-", "{url}")
PROGRAMS = (
    Program("curl chunked", (*CURL, "--http1.1", *PIPED)),
    Program("curl HTTP/2", (*CURL, "--http2-prior-knowledge", *PIPED)),
    Program("curl Upgrade: h2c", (*CURL, "--http2", *PIPED)),
    Program("Node request.write", ("node", "{source}", *ASKED), "write.js", NODE_WRITE),
    Program("Node fetch of a stream", ("node", "{source}", *ASKED), "fetch.js", NODE_FETCH),
    Program("Java HttpClient", ("java", "{source}", *ASKED), "Send.java", JAVA_CLIENT),
    # which knows no PATCH
    Program("Java HttpURLConnection", ("java", "{source}", *ASKED), "Send.java", JAVA_CONNECTION, ("POST",)),
    Program("Go io.Reader", ("go", "run", "{source}", *ASKED), "send.go", GO),
)


@dataclass(frozen=True)
class Door:
    """An address, and what it answers to a whole body."""

    name: str
    method: str
    path: str
    content: bytes
    status: int


def main() -> None:
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with textdesk(folder, f"sqlite:///{folder / 'clients.sqlite3'}") as running:
            for program in PROGRAMS:
                failed += tried(program, running, folder)
    print(json.dumps({"bench": "clients", "failed": failed, "goal": 0}), flush=True)


def tried(program: Program, running: Textdesk, folder: Path) -> int:
    """How many addresses did not answer as they should; one line says what each said."""
    if shutil.which(program.command[0]) is None:
        print(json.dumps({"client": program.name, "skipped": f"no {program.command[0]}"}), flush=True)
        return 0
    source = folder / program.file
    if program.file:
        source.write_text(program.source)
    key = running.manage(
        *("api_key", "--service", "demo", "--name", uuid.uuid4().hex, "--scopes", "send,read")
    ).stdout.strip()
    said, failed = {}, 0
    for door in doors(running):
        if door.method not in program.methods:
            continue
        content = folder / "body"
        content.write_bytes(door.content)
        words = {
            "method": door.method,
            "url": running.url + door.path,
            "key": key,
            "file": str(content),
            "source": str(source),
        }
        command = [word.format(**words) for word in program.command]
        with content.open("rb") as given:
            done = subprocess.run(command, stdin=given, capture_output=True, text=True, timeout=120)
        said[door.name] = done.stdout or done.stderr[-200:]
        failed += done.stdout != str(door.status)
    print(json.dumps({"client": program.name, "failed": failed} | said), flush=True)
    return failed


def doors(running: Textdesk) -> list[Door]:
    """With bodies that nobody sent before."""
    (service,) = running.rows("Service.objects.values('receipt_token')")
    token, mark = service["receipt_token"], uuid.uuid4().hex
    order = {"channel": "sms", "from": "TEXTDESK", "to": [{"msisdn": ["447712399001"]}]}
    send = json.dumps(order | {"content": {"type": "text", "text": mark}}).encode()
    audience = json.dumps({"name": mark, "csv": "number\n+447712399001\n"}).encode()
    known = running.rows("SavedAudience.objects.values('id')[:1]")
    told = {"deliveryInfoNotification": {"deliveryInfo": {"deliveryStatus": "Delivered"}, "transid": mark}}
    sms = {"oa": "447712399009", "da": "72345", "message": "Hello", "tid": mark}
    found = [
        Door("/v2/messages", "POST", "/v2/messages", send, 201),
        Door("/api/v1", "POST", "/api/v1/audiences", audience, 201),
        Door("receipt", "POST", f"/receipts/{token}/", json.dumps(told).encode(), 200),
        Door("inbound", "POST", f"/inbound/{token}/", json.dumps(sms).encode(), 200),
        Door("too large", "POST", f"/receipts/{token}/", json.dumps(told).encode().ljust(70_000), 413),
        Door("too large order", "POST", "/v2/messages", send.ljust(5_000_001), 400),
    ]
    if known:
        renamed = json.dumps({"name": f"{mark} 2"}).encode()
        found.append(Door("/api/v1 PATCH", "PATCH", f"/api/v1/audiences/{known[0]['id']}", renamed, 200))
    return found


if __name__ == "__main__":
    main()
