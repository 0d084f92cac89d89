"""Columns of people, pages, sign-in and the queue, for the inventory of personal data (`sms.compliance.personal_columns`),
which may not know them.

Recipients do not stand in them, but for two places: a colleague's own number, and what a failed task was doing. Called by `portal.apps`.
"""

from typing import Any

from sms.compliance.personal_columns import ColumnKind, register

_D, _W, _P = ColumnKind.DESK, ColumnKind.WORD, ColumnKind.PACKED

COLUMNS: dict[str, dict[str, ColumnKind]] = {
    "portal.User": {
        "own_number": ColumnKind.NUMBER,
        **dict.fromkeys(("email", "first_name", "last_name", "password", "time_zone"), _D),
    },
    "portal.Invitation": dict.fromkeys(("email", "roles", "nonce"), _D),
    "account.EmailAddress": {"email": _D},
    "account.EmailConfirmation": {"key": _D},
    "mfa.Authenticator": {"data": _D},
    "auth.Permission": dict.fromkeys(("name", "codename"), _W),
    "auth.Group": {"name": _D},
    "contenttypes.ContentType": dict.fromkeys(("app_label", "model"), _W),
    "admin.LogEntry": {"object_repr": ColumnKind.SAYS, "change_message": ColumnKind.SAYS, "object_id": _W},
    "sessions.Session": {"session_data": _P, "session_key": _D},
    "django_q.Task": {
        **dict.fromkeys(("args", "kwargs", "result"), _P),
        **dict.fromkeys(("id", "name", "func", "hook", "group", "cluster"), _W),
    },
    "django_q.OrmQ": {"payload": _P, "key": _W},
    "django_q.Schedule": {
        **dict.fromkeys(("name", "func", "hook", "args", "kwargs", "cron", "task", "cluster"), _W),
        "intended_date_kwarg": _W,
    },
}


def _of_task(row: Any) -> str:
    return f"{row.args} {row.kwargs} {row.result}"


def _of_waiting(row: Any) -> str:
    return str(row.task)


def _of_session(row: Any) -> str:
    return str(row.get_decoded())


def tell() -> None:
    """Make them known."""
    register(
        COLUMNS,
        packed={
            "django_q.Task": _of_task,
            "django_q.OrmQ": _of_waiting,
            "sessions.Session": _of_session,
        },
    )
