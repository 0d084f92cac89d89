"""HTTP clients as people have them, each a program of its own, that give no length.

Their sources in `programs/` take a method, an address, a key and, where there is a body, its file. They print the status, a line's end
and the answer's body.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).with_name("programs")
CURL = ("curl", "-sS", "-w", "\n%{{http_code}}", "-H", "key: {key}", "-X", "{method}", "{url}")
PIPED = ("-H", "Content-Type: application/json", "-T", "-")
ANSWER = 60  # seconds


class NoAnswer(Exception):
    """What the program says instead."""


@dataclass(frozen=True)
class Program:
    """`source` is translated by `build` once, where there is one, in a folder in which `run` then runs."""

    name: str
    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    source: str = ""
    body: tuple[str, ...] = ("{file}",)
    knows_patch: bool = True
    http2_only: bool = False
    bench_only: bool = False  # its tool is not on every machine that runs tests

    @property
    def missing(self) -> str:
        """The tool that this machine lacks."""
        needed = [command[0] for command in (self.build, self.run) if command]
        return next((tool for tool in needed if not tool.startswith("./") and shutil.which(tool) is None), "")

    def prepare(self, folder: Path) -> None:
        if self.source:
            shutil.copy(SOURCES / self.source, folder)
        if self.build:
            done = subprocess.run(self.build, cwd=folder, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, folder: Path, method: str, url: str, key: str, content: bytes | None) -> tuple[int, str]:
        """Status and body of the answer; raises NoAnswer."""
        file = folder / "content"
        file.write_bytes(content or b"")
        words = {"method": method, "url": url, "key": key, "file": str(file)}
        command = [word.format(**words) for word in (*self.run, *(self.body if content is not None else ()))]
        with file.open("rb") as given:
            try:
                done = subprocess.run(
                    command, cwd=folder, stdin=given, capture_output=True, text=True, timeout=ANSWER
                )
            except subprocess.TimeoutExpired:
                raise NoAnswer(f"no answer in {ANSWER} s") from None
        if self.run[0] == "curl":  # which knows the status last
            rest, _, first = done.stdout.rpartition("\n")
        else:
            first, _, rest = done.stdout.partition("\n")
        if not first.strip().isdecimal() or first == "000":
            raise NoAnswer((done.stderr or done.stdout)[-200:].strip())
        return int(first), rest


ASKED = ("{method}", "{url}", "{key}")


def curl(name: str, *options: str, http2_only: bool = False) -> Program:
    return Program(f"curl {name}", (*CURL, *options), body=PIPED, http2_only=http2_only)


PROGRAMS = (
    curl("chunked", "--http1.1", "-H", "Expect:"),
    curl("Expect: 100-continue", "--http1.1", "-H", "Expect: 100-continue"),
    curl("Upgrade: h2c", "--http2", "-H", "Expect:"),
    curl("HTTP/2", "--http2-prior-knowledge", http2_only=True),
    Program("Node request.write", ("node", "write.js", *ASKED), source="write.js"),
    Program("Node fetch of a stream", ("node", "fetch.js", *ASKED), source="fetch.js"),
    Program(
        "Java HttpClient",
        ("java", "-cp", ".", "Client", *ASKED),
        build=("javac", "Client.java"),
        source="Client.java",
    ),
    Program(
        "Java HttpURLConnection",
        ("java", "-cp", ".", "Connection", *ASKED),
        build=("javac", "Connection.java"),
        source="Connection.java",
        knows_patch=False,
    ),
    Program(
        "Go io.Reader",
        ("./send", *ASKED),
        build=("go", "build", "-o", "send", "send.go"),
        source="send.go",
    ),
    Program(
        ".NET HttpClient (Mono)",
        ("mono", "Send.exe", *ASKED),
        build=("mcs", "-r:System.Net.Http.dll", "Send.cs"),
        source="Send.cs",
        bench_only=True,
    ),
)
