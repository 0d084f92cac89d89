"""Keys that the embedded installation makes for itself and keeps in files. Called by `portal.settings` alone.

Two of them are in VAR_DIR. The audit's is not: whoever copies or backs up the folder with the database must not have what makes its rows
evident as well. It stands beside the folder, and a note in the folder says where, so that a folder that was moved finds it, and a missing
one stops the start instead of being replaced by another one, with which no older row could be verified.
"""

import os
from collections.abc import Callable
from pathlib import Path

from portal.env import WrongVariable
from sms.values.durable_file import put

NOTE = "audit_key_is_at"


def kept(path: Path, make: Callable[[], str]) -> str:
    """The key in a file, which is made if it is missing."""
    try:
        if not path.exists():
            put(path, make().encode())
        return path.read_text(encoding="utf-8").strip()
    except OSError as problem:
        says = f"The key file {path} cannot be read ({problem.strerror}). Make it readable for this user."
        raise WrongVariable(says) from None


def audit_key(folder: Path, make: Callable[[], str]) -> str:
    note, inside = folder / NOTE, folder / "audit_key"
    if note.exists():
        place = Path(note.read_text(encoding="utf-8").strip())
        if not place.exists():
            raise WrongVariable(
                f"The audit's key was kept in {place}, and is not there. Put it back, or write where it is now into {note}; "
                "or set AUDIT_KEYS. "
                f"If it is lost, delete {note}: a new one is made, and no row from before can be verified any more."
            )
        return kept(place, make)
    # of a volume, what is beside it may be gone with the container
    if os.path.ismount(folder) or not os.access(folder.parent, os.W_OK):
        return kept(inside, make)
    outside = folder.with_name(f"{folder.name}.audit_key")
    key = kept(outside, (lambda: inside.read_text(encoding="utf-8").strip()) if inside.exists() else make)
    if inside.exists() and inside.read_text(encoding="utf-8").strip() != key:
        return kept(inside, make)  # that of another folder which stood here before
    put(note, f"{outside}\n".encode())
    inside.unlink(missing_ok=True)
    return key


def beside_the_database(folder: Path) -> bool:
    return (folder / "audit_key").exists()
