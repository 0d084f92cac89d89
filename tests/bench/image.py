"""The image of `deploy/Containerfile`, built and run as compose runs it: user 10001, read-only root, no capability, no new privilege.

`python -m tests.bench.image [--base NAME] [--messages 200] [-- OPTIONS OF BUILDAH]` prints one JSON line: how long it took, how large it
is, and a whole send with its receipts through containers of `prepare`, `web` and `dispatch`. It needs root and Debian's buildah, podman,
crun and debootstrap; elsewhere it says what is missing. Without `--base` the base image is made of Debian's own packages, since no
registry is asked for anything. Options behind `--` are for a build machine whose pip needs files of the host:
`-- --volume /etc/pip.conf:/etc/pip.conf:ro`.

The containers share a network of their own that has nothing but a loopback, with a PostgreSQL and the sandbox in it.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from sms import VERSION
from tests import postgres
from tests.support.processes import ROOT, environment, until

IMAGE, BASE = f"localhost/textdesk:{VERSION}", "localhost/textdesk-base:debian"
PROGRAMS = ("buildah", "podman", "crun", "debootstrap")
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
TOOLS_ENV = os.environ | {
    "BUILDAH_ISOLATION": "chroot",
    "STORAGE_DRIVER": "vfs",
}  # in a container there is no overlay
SANDBOX, WEB = 18080, 8000
# Where podman itself runs in a container: no control groups, no systemd for timers, and limits that it may set
WITHIN_A_CONTAINER = (
    *("--cgroups", "disabled", "--no-healthcheck"),
    *("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"),
)
LOAD = f"from portal.demo.loading import load; load('http://127.0.0.1:{SANDBOX}', 'sandbox-key', password='x' * 12)"


def main() -> None:
    """Build, then run within namespaces of its own."""
    line = argparse.ArgumentParser()
    line.add_argument("--base", default="")
    line.add_argument("--messages", type=int, default=200)
    line.add_argument("--built", action="store_true", help=argparse.SUPPRESS)
    line.add_argument("builder", nargs="*", help="options of `buildah build`")
    options = line.parse_args()
    if options.built:
        print(json.dumps(run(options.messages)), flush=True)
        return
    if absent := [program for program in PROGRAMS if not shutil.which(program)]:
        print(json.dumps({"bench": "image", "not_run": f"{' and '.join(absent)} not installed"}))
        return
    began = time.monotonic()
    base = options.base or make_base()
    given = (
        "--format",
        "docker",
        "--network",
        "host",
        "--build-arg",
        f"PYTHON_IMAGE={base}",
        *options.builder,
    )
    tool("buildah", "build", "--quiet", *given, "--file", "deploy/Containerfile", "--tag", IMAGE, ".")
    seconds = round(time.monotonic() - began, 1)
    again = (sys.executable, "-m", "tests.bench.image", "--built", "--messages", str(options.messages))
    inside = 'ip link set lo up && umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", inside, "sh", *again],
        cwd=ROOT,
        env=TOOLS_ENV,
        stdout=-1,
        check=True,
    )
    print(
        json.dumps({"bench": "image", "build_seconds": seconds, **json.loads(done.stdout.splitlines()[-1])}),
        flush=True,
    )


def tool(*command: str) -> str:
    """What it prints. Raises CalledProcessError."""
    return subprocess.run(
        command, cwd=ROOT, env=TOOLS_ENV, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def make_base() -> str:
    """Debian with Python, from its packages; kept for the next run."""
    if tool("buildah", "images", "--quiet", "--filter", f"reference={BASE}"):
        return BASE
    with tempfile.TemporaryDirectory(prefix="textdesk-base-") as folder:
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        tool("debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, f"{folder}/root")
        container = tool("buildah", "from", "scratch")
        tool("buildah", "copy", "--quiet", container, f"{folder}/root", "/")
        tool(
            "buildah",
            "config",
            "--env",
            f"PATH=/usr/local/sbin:/usr/local/bin:{os.defpath}:/usr/sbin:/sbin",
            container,
        )
        tool("buildah", "commit", "--quiet", "--rm", container, BASE)
    return BASE


def run(messages: int) -> dict[str, object]:
    """A send through containers of the image."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="textdesk-image-")))
        server = stack.enter_context(postgres.own_cluster())
        url = stack.enter_context(postgres.fresh_database(postgres.Server(server.base_url, "our own")))
        ours = environment(folder, url)
        settings = ("SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "DATABASE_URL")
        (folder / "textdesk.env").write_text("".join(f"{name}={ours[name]}\n" for name in settings))
        (folder / "numbers.csv").write_text(
            "number\n" + "".join(f"07712{index:06d}\n" for index in range(messages))
        )
        (folder / "numbers.csv").chmod(0o644)
        folder.chmod(0o755)
        provider = [sys.executable, "-m", "sms.webex.sandbox", "--port", str(SANDBOX), "--key", "sandbox-key"]
        stack.enter_context(ended(subprocess.Popen(provider, cwd=ROOT, env=ours, stdout=subprocess.DEVNULL)))
        containers = Containers(folder)
        stack.callback(containers.remove)
        began = time.monotonic()
        containers.once("prepare", containers.command("prepare"))
        prepared = round(time.monotonic() - began, 1)
        containers.once("shell", ["shell", "--no-imports", "-c", LOAD])
        stack.enter_context(ended(containers.start("web")))
        until(lambda: containers.is_healthy("web"), "the image's own health check passes")
        stack.enter_context(ended(containers.start("dispatch")))
        until(is_ready, "/readyz says ok")
        audience = ("--audience", "/numbers.csv", "--sender", "TEXTDESK", "--text", "Hi", "--wait", "--json")
        sent = json.loads(containers.once("send", ["send", "--service", "demo", *audience]).splitlines()[-1])
        with urllib.request.urlopen(f"http://127.0.0.1:{SANDBOX}/__sandbox__/log", timeout=60) as answer:
            log = [json.loads(line) for line in answer.read().splitlines() if line]
        copies = Counter(row["msisdn"] for row in log if row["kind"] == "message")
        return {
            "megabytes": int(tool("podman", "image", "inspect", "--format", "{{.Size}}", IMAGE)) // 1_000_000,
            "prepare_seconds": prepared,
            "user": containers.inside("web", "id", "-u"),
            "root_is_read_only": "Read-only"
            in containers.inside("web", "sh", "-c", "touch /opt/x 2>&1; true"),
            "messages": messages,
            "states": sent["states"],
            "lost": messages - len(copies),
            "twice": sum(copies.values()) - len(copies),
            "goal_lost": 0,
            "goal_twice": 0,
        }


class Containers:
    """As `deploy/compose.yaml` has them, but for networks: one that the host's processes here are in too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]

    def command(self, service: str) -> list[str]:
        return self.compose[service]["command"]

    def options(self, service: str) -> list[str]:
        given = self.compose[service if service in self.compose else "prepare"]
        assert given["read_only"] and given["cap_drop"] == ["ALL"], "hardened as it is here"
        found = ["--name", f"textdesk-{service}", "--env-file", str(self.folder / "textdesk.env")]
        settings = given["environment"] | {"PUBLIC_URL": f"http://127.0.0.1:{WEB}"}
        found += [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
        found += [part for one in given["volumes"] for part in ("--volume", f"textdesk-{one}")]
        found += [part for one in given["security_opt"] for part in ("--security-opt", one.partition(":")[0])]
        found += [part for one in given["tmpfs"] for part in ("--tmpfs", one)]
        if "entrypoint" in given:
            found += ["--entrypoint", json.dumps(given["entrypoint"])]
        return [*found, "--read-only", "--cap-drop", "all", "--network", "host", *WITHIN_A_CONTAINER]

    def once(self, service: str, command: list[str]) -> str:
        """Run to its end; what it prints."""
        numbers = f"{self.folder}/numbers.csv:/numbers.csv:ro"
        return tool("podman", "run", "--rm", *self.options(service), "--volume", numbers, IMAGE, *command)

    def start(self, service: str) -> subprocess.Popen[bytes]:
        command = ["podman", "run", "--rm", *self.options(service), IMAGE, *self.command(service)]
        with (self.folder / f"{service}.log").open("wb") as log:
            return subprocess.Popen(command, env=TOOLS_ENV, stdout=log, stderr=log)

    def inside(self, service: str, *command: str) -> str:
        return tool("podman", "exec", f"textdesk-{service}", *command)

    def is_healthy(self, service: str) -> bool:
        """By the command that stands in the image, which needs somebody to run it."""
        check = json.loads(tool("podman", "image", "inspect", "--format", "{{json .HealthCheck}}", IMAGE))
        return asked(["podman", "exec", f"textdesk-{service}", *check["Test"][1:]])

    def remove(self) -> None:
        """What their volumes held."""
        names = tool("podman", "volume", "ls", "--quiet", "--filter", "name=^textdesk-").split()
        if names:
            tool("podman", "volume", "rm", "--force", *names)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def asked(command: list[str]) -> bool:
    """Whether it says yes."""
    return not subprocess.run(command, env=TOOLS_ENV, capture_output=True, check=False).returncode


def is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{WEB}/readyz", timeout=10) as answer:
            return answer.status == 200
    except urllib.error.URLError:
        return False


if __name__ == "__main__":
    main()
