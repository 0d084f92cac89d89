"""A process of its own that is killed at a named point while it lets go of data: a fork, so that it costs a fraction of a second."""

import os
import signal
from collections.abc import Callable
from importlib import import_module

from django.db import connections

from sms.ledger import crash_points

# by name, since the package's door has functions of the same names
MODULES = tuple(import_module(f"sms.compliance.archive.{name}") for name in ("write", "move", "rewrite"))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(name: str, act: Callable[[], object], *modules) -> bool:
    """Whether the process passed the point, and so died there; False where it came to its end."""
    connections.close_all()  # a child must not speak on its parent's connection
    child = os.fork()
    if not child:
        try:
            for module in (*MODULES, *modules):
                module.point = crash_points.chosen(name, die=_die)
            act()
            os._exit(0)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        assert os.WEXITSTATUS(status) == 0, "it broke off by itself"
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
