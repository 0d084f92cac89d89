"""How we talk to the database unless DATABASE_URL says otherwise. Called by `portal.settings`."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from portal import server_urls
from portal.env import WrongVariable, env_parsed

# IMMEDIATE: a transaction that will write waits for the lock at its start instead of failing half-way.
# FULL: "armed" must survive a power cut, or we would forget that we sent.
EMBEDDED = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
}

# Told to each connection when it begins (`sms.models.sql.limits`), and not by libpq, whose `options` PgBouncer refuses
SESSION = (
    *("jit", "synchronous_commit", "lock_timeout", "statement_timeout"),
    "idle_in_transaction_session_timeout",
)
# commands that may come before there is a database, or need none
BEGIN = {"up", "prepare", "migrate", "createcachetable", "collectstatic", "check", "help", "webex_sandbox"}
ROLES = {"qcluster": "cluster", "runserver": "web"}


def must_be_there(path: Path, argv: Sequence[str]) -> None:
    """Of a package that was told of no database: a command run without the environment of the processes would make an empty one with
    keys of its own beside it, look there, and find nothing wrong."""
    if len(argv) > 1 and argv[1] not in BEGIN and not argv[1].startswith("-") and not path.exists():
        raise WrongVariable(
            f"DATABASE_URL is not set, and there is no {path}. Run it with the environment of Textdesk's processes "
            "(docs/operators/deploying.md, A command), or make a new desk with `textdesk up` or `textdesk prepare`."
        )


def with_defaults(given: dict[str, Any], argv: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The options of a connection, and what its session is told instead of our limits.

    A peer that is silent is given up within half a minute: TCP by itself waits for hours where nothing was sent, and for a quarter of
    an hour where something was. A server that may only be read, as a standby, is not taken for the database.
    """
    session = _session(given)
    options: dict[str, Any] = {
        "prepare_threshold": None,  # PgBouncer in transaction mode
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,  # milliseconds
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "target_session_attrs": "read-write",
        "application_name": f"textdesk {role(argv)}",
    }
    return options | given, session


def _session(given: dict[str, Any]) -> dict[str, str]:
    """What the address says of sessions, taken out where libpq does not know it."""
    session = {name: str(given.pop(name)) for name in SESSION if name in given}
    later = {name: value for name, value in _settings(str(given.get("options", ""))) if name in SESSION}
    return later | session


def _settings(options: str) -> Iterator[tuple[str, str]]:
    """Of libpq's `options`, read as PostgreSQL does: `-c name=value`, `-cname=value`, `--name=value`; a backslash keeps a space."""
    found = re.findall(r"(?:\\.|[^\s\\])+", options)
    words = (re.sub(r"\\(.)", r"\1", word) for word in found)
    for word in words:
        if word == "-c" or word == "--":
            word = next(words, "")
        elif word.startswith(("-c", "--")):
            word = word[2:]
        else:
            continue
        name, equals, value = word.partition("=")
        if equals:
            yield name.replace("-", "_").lower(), value


def replica_of(primary: dict[str, Any]) -> dict[str, Any]:
    """The connection to DATABASE_REPLICA_URL, like that to the primary but that it may be one that is only read. SESSION is ours, not
    Django's: what its sessions are told beyond those of the primary."""
    read = env_parsed(
        "DATABASE_REPLICA_URL",
        "",
        server_urls.database,
        should="like postgres://user:password@replica:5432/name",
    )
    if read["ENGINE"] != "django.db.backends.postgresql" or primary["ENGINE"] != read["ENGINE"]:
        raise WrongVariable(
            "DATABASE_REPLICA_URL is set; it goes with PostgreSQL only, in DATABASE_URL and there. Unset it."
        )
    given = dict(read.get("OPTIONS", {}))  # type: ignore[call-overload]
    session = _session(given)
    options = primary["OPTIONS"] | {"target_session_attrs": "any"} | given
    return primary | read | {"OPTIONS": options, "SESSION": session}


def role(argv: Sequence[str]) -> str:
    """What this process is, for whoever looks at pg_stat_activity: `web`, `dispatch`, `cluster`, or the name of a command."""
    if any("granian" in Path(word).parts or Path(word).name == "granian" for word in argv[:1]):
        return "web"
    if len(argv) > 1 and Path(argv[0]).name in ("manage.py", "textdesk", "django-admin", "__main__.py"):
        return ROLES.get(argv[1], argv[1])
    name = Path(argv[0]).stem if argv else ""
    return name if name.isidentifier() else "python"
