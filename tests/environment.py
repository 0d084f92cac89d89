"""A known environment for tests: the variables that settings read, and fresh values for them.

Called by `conftest.py` before Django is set up, and by `test_repository.py`. Whatever a developer's shell exports, tests see only
`DATABASE_URL` of it (chosen by `tests/run.py`); keys are made afresh and state goes to a temporary folder.
"""

import ast
import base64
import os
import secrets
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def variables(folder: Path = ROOT / "portal") -> set[str]:
    """Names given as first argument to any `env_…` reader in `folder`, e.g. {"DEBUG", "DATABASE_URL"}."""
    found = set()
    for path in folder.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "env_" not in source:  # every worker looks, and most files need no parsing
            continue
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Name(id=reader), args=[ast.Constant(value=str(name)), *_]) if (
                    reader.startswith("env_")
                ):
                    found.add(name)
    return found


def isolate() -> Path:
    """Replace the process's Textdesk variables; returns the new state folder, which the caller removes."""
    for name in variables() - {"DATABASE_URL"}:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    folder = Path(tempfile.mkdtemp(prefix="textdesk-tests-")).resolve()
    (folder / "static").mkdir()  # collected files are looked for here, and a missing folder is a warning
    os.environ["VAR_DIR"] = str(folder)
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(64)
    os.environ["FIELD_KEYS"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    os.environ["AUDIT_KEYS"] = secrets.token_urlsafe(48)
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    return folder
