"""How we talk to PostgreSQL unless DATABASE_URL says otherwise. Called by `portal.settings`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Told to each connection when it begins (`sms.models.sql.limits`), and not by libpq, whose `options` PgBouncer refuses
SESSION = (
    *("jit", "synchronous_commit", "lock_timeout", "statement_timeout"),
    "idle_in_transaction_session_timeout",
)
ROLES = {"qcluster": "cluster", "runserver": "web"}


def with_defaults(given: dict[str, Any], argv: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The options of a connection, and what its session is told instead of our limits.

    A peer that is silent is given up within half a minute: TCP by itself waits for hours where nothing was sent, and for a quarter of
    an hour where something was. A server that may only be read, as a standby, is not taken for the database.
    """
    session = {name: str(given.pop(name)) for name in SESSION if name in given}
    for setting in str(given.get("options", "")).split("-c"):  # libpq's own way
        name, _, value = setting.strip().removeprefix("-").partition("=")
        if name in SESSION:
            session.setdefault(name, value)
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


def role(argv: Sequence[str]) -> str:
    """What this process is, for whoever looks at pg_stat_activity: `web`, `dispatch`, `cluster`, or the name of a command."""
    if any("granian" in Path(word).parts or Path(word).name == "granian" for word in argv[:1]):
        return "web"
    if len(argv) > 1 and Path(argv[0]).name in ("manage.py", "textdesk", "django-admin", "__main__.py"):
        return ROLES.get(argv[1], argv[1])
    name = Path(argv[0]).stem if argv else ""
    return name if name.isidentifier() else "python"
