"""Clients as partners have them generated from `docs/openapi.json`, each with the program in `generated/` that uses it.

A client is generated into a folder, its program's types are checked against it, and then it runs. The two Python generators come with
requirements/dev.txt; npm's come from `generated/package.json` into a folder beside them, once.
"""

import fcntl
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ROOT

DOCUMENT = ROOT / "docs" / "openapi.json"
SOURCES = Path(__file__).with_name("generated")
TOOLS = Path(sys.prefix) / "generated-clients"
MINUTES = 10 * 60  # seconds


def run(*command: str, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MINUTES)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@dataclass(frozen=True)
class GeneratedClient:
    """`needs` is the tool of the machine without which there is no such client."""

    name: str
    needs: str

    @property
    def missing(self) -> str:
        return "" if shutil.which(self.needs) else self.needs

    def generate(self, folder: Path) -> None:
        raise NotImplementedError

    def program(self) -> tuple[str, ...]:
        raise NotImplementedError

    def says(self, folder: Path, *arguments: str) -> str:
        return run(*self.program(), *arguments, folder=folder)


@dataclass(frozen=True)
class OpenapiPython(GeneratedClient):
    """openapi-python-client."""

    def generate(self, folder: Path) -> None:
        settings = folder / "settings.yaml"
        settings.write_text("post_hooks: []\n", "utf-8")  # how the code looks matters to nobody here
        where = (
            "--path",
            str(DOCUMENT),
            "--output-path",
            str(folder / "openapi_python"),
            "--config",
            str(settings),
        )
        command = (sys.executable, "-m", "openapi_python_client", "generate", *where)
        run(*command, "--meta", "none", "--fail-on-warning", folder=folder)
        shutil.copy(SOURCES / "python_client.py", folder)
        _check_types(folder, "python_client.py")

    def program(self) -> tuple[str, ...]:
        return sys.executable, "python_client.py"


@dataclass(frozen=True)
class OpenapiGenerator(GeneratedClient):
    """OpenAPI Generator, for Python: a program in Java that comes as a package of Python's."""

    def generate(self, folder: Path) -> None:
        import openapi_generator_cli  # of requirements/dev.txt: no other test needs it

        jar = Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")
        about = "packageName=openapi_generator,generateSourceCodeOnly=true"
        what = ("-g", "python", "-i", str(DOCUMENT), "-o", str(folder), "--additional-properties", about)
        run("java", "-jar", str(jar), "generate", *what, folder=folder)
        shutil.copy(SOURCES / "generator_client.py", folder)
        _check_types(folder, "generator_client.py")

    def program(self) -> tuple[str, ...]:
        return sys.executable, "generator_client.py"


@dataclass(frozen=True)
class OpenapiTs(GeneratedClient):
    """@hey-api/openapi-ts, compiled by TypeScript and run by Node."""

    def generate(self, folder: Path) -> None:
        tools = _npm_tools()
        run(str(tools / "openapi-ts"), "-i", str(DOCUMENT), "-o", str(folder / "sdk"), folder=folder)
        for name in ("client.ts", "tsconfig.json"):
            shutil.copy(SOURCES / name, folder)
        run(str(tools / "tsc"), "-p", "tsconfig.json", folder=folder)

    def program(self) -> tuple[str, ...]:
        return "node", "out/client.js"


def _check_types(folder: Path, program: str) -> None:
    """Of the program: what a generator writes is not of our making."""
    strict = ("--strict", "--follow-imports=silent", "--cache-dir", str(folder / "mypy"), "--config-file=")
    run(sys.executable, "-m", "mypy", *strict, program, folder=folder)


def _npm_tools() -> Path:
    """The folder of the programs that npm installs, whichever of several test processes comes first."""
    TOOLS.mkdir(exist_ok=True)
    wanted = (SOURCES / "package.json").read_text("utf-8")
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = TOOLS / "package.json"
        if not (TOOLS / "installed").exists() or kept.read_text("utf-8") != wanted:
            kept.write_text(wanted, "utf-8")
            run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", folder=TOOLS)
            (TOOLS / "installed").touch()
    return TOOLS / "node_modules" / ".bin"


CLIENTS = (
    OpenapiPython("openapi-python-client", needs="python3"),
    OpenapiGenerator("OpenAPI Generator", needs="java"),
    OpenapiTs("@hey-api/openapi-ts", needs="npm"),
)
