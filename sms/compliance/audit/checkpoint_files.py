"""The checkpoints of this host, in a folder of `VAR_DIR`, where SQL does not reach.

`heads.json` holds the newest head of each service and is renewed at every sealing; `checkpoints.jsonl` gets a line an hour for each and is
only appended to. The first names the last line of the second, and each line the one before, so that neither can be changed, thinned
out or cut off without the other. Files that were both put back to an older state are shown only by what left this host.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.utils.translation import gettext_noop

from sms.compliance.audit.checkpoint import Checkpoint, holds, line_of, own_line
from sms.compliance.audit.seal import Head
from sms.models import audit_proof
from sms.values import durable_file
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

LONGEST_LINE = 4096  # bytes


class FolderAltered(Exception):
    """What is in the folder is not what was written to it; the sentence says what."""


@dataclass(slots=True)
class _Heads:
    """What `heads.json` says. `last` is the MAC of the other file's last line, `pending` the lines that are being written behind it."""

    heads: dict[str, Checkpoint] = field(default_factory=dict)
    last: str = ""
    pending: str = ""

    def text(self, key: audit_proof.MacKey | None = None) -> str:
        heads = [asdict(one) for one in self.heads.values()]
        said = {"heads": heads, "last": self.last, "pending": self.pending}
        return json.dumps(
            said | {"mac": audit_proof.folder_mac(key or audit_proof.audit_keys.of("")[0], said)}
        )

    @classmethod
    def read(cls, text: str) -> "_Heads | None":
        """None where it is not to the letter what we write."""
        try:
            said = json.loads(text)
            read = [Checkpoint.read(line) for line in said["heads"]]
            made = cls({one.service: one for one in read if one is not None}, said["last"], said["pending"])
            ours = any(made.text(key) == text for key in audit_proof.audit_keys.of(""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return made if ours else None


class CheckpointFiles:
    """Any number of processes of a host may use one folder at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._heads = folder / "heads.json"
        self._checkpoints = folder / "checkpoints.jsonl"

    @property
    def begun(self) -> bool:
        return self._heads.exists()

    def begin(self) -> None:
        """Make the folder with nothing in it yet."""
        with self._alone():
            if not self.begun:
                durable_file.put(self._heads, _Heads().text().encode())

    def set_aside(self) -> str:
        """Begin anew where the files are not those that were written, which stay under another name; returns what was wrong with them."""
        mark = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        with self._alone():
            if not (wrong := self._wrong(thorough=False)):
                return ""  # another process did it meanwhile
            for path in (self._heads, self._checkpoints):
                if path.exists():
                    path.rename(path.with_name(f"{path.stem}.altered-{mark}{path.suffix}"))
            durable_file.put(self._heads, _Heads().text().encode())
        return wrong

    def keep(self, heads: Mapping[str, Head]) -> list[str]:
        """Renew the newest heads; returns the services whose chain no longer holds the head that was there.

        Such a head stays: it is the evidence. Raises FolderAltered.
        """
        if not heads:
            return []
        broken = []
        with self._alone():
            known = self._read_heads()
            for slug, head in heads.items():
                before = known.heads.get(slug)
                if before is not None and not holds(before):
                    broken.append(slug)
                    continue
                known.heads[slug] = Checkpoint.of(head)
            durable_file.put(self._heads, known.text().encode())
        for slug in broken:
            log.error("audit_chain_broken", service=slug, sentence="Run manage.py verify_audit.")
        return broken

    def note(self, heads: Iterable[Head], *, now: datetime | None = None) -> list[Checkpoint]:
        """A line for each head, behind those that are there. Raises FolderAltered."""
        made: list[Checkpoint] = []
        heads = list(heads)
        if not heads:
            return made
        with self._alone():
            known = self._read_heads()
            last = self._last_line()
            if last != known.last:
                raise FolderAltered(_CUT(file=self._checkpoints))
            for head in heads:
                made.append(Checkpoint.of(head, now=now, before=last))
                last = made[-1].mac
            known.pending = "".join(line_of(one) + "\n" for one in made)
            durable_file.put(
                self._heads, known.text().encode()
            )  # what a kill breaks off, the next process completes
            self._complete(known)
        return made

    def read_all(self) -> list[Checkpoint]:
        """All that can be read and was made by us, oldest first; whether that is all, `wrong` says."""
        found = [one for one in self._lines() if one is not None]
        try:
            return [*found, *self._read_heads().heads.values()]
        except FolderAltered:
            return found

    def wrong(self) -> str:
        """In a sentence, why the files are not those that were written; empty while they are."""
        with self._alone():
            return self._wrong(thorough=True)

    def _wrong(self, *, thorough: bool) -> str:
        """`thorough` reads every line."""
        try:
            known = self._read_heads()
        except FolderAltered as problem:
            return str(problem)
        if not thorough:
            return "" if self._last_line() == known.last else _CUT(file=self._checkpoints)
        before = ""
        for number, one in enumerate(self._lines(), 1):
            if one is None:
                return LINE_ALTERED(line=f"{number:,}", file=self._checkpoints)
            if one.before != before:
                return LINE_MISSING(line=f"{number:,}", file=self._checkpoints)
            before = one.mac
        return "" if before == known.last else _CUT(file=self._checkpoints)

    def _lines(self) -> Iterator[Checkpoint | None]:
        if not self._checkpoints.exists():
            return
        with self._checkpoints.open(encoding="utf-8", errors="replace", newline="\n") as file:
            yield from map(own_line, file)

    def _read_heads(self) -> _Heads:
        try:
            text = self._heads.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise FolderAltered(FILE_MISSING(file=self._heads)) from None
        known = _Heads.read(text)
        if known is None:
            raise FolderAltered(FILE_ALTERED(file=self._heads))
        if known.pending:
            self._complete(known)
        return known

    def _complete(self, known: _Heads) -> None:
        """Write what of the pending lines is not there yet. Raises FolderAltered where something else is."""
        pending = known.pending.encode()
        with self._checkpoints.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - len(pending) - LONGEST_LINE, 0))
            end = file.read()
        named = end.rfind(f'"mac": "{known.last}"'.encode()) if known.last else 0
        there = end[end.find(b"\n", named) + 1 :] if known.last else end
        if named < 0 or not pending.startswith(there):
            raise FolderAltered(_CUT(file=self._checkpoints))
        durable_file.append(self._checkpoints, pending[len(there) :])
        known.last, known.pending = json.loads(pending.splitlines()[-1])["mac"], ""
        durable_file.put(self._heads, known.text().encode())

    def _last_line(self) -> str:
        """The MAC of the last line; empty where there is none, or none of ours."""
        try:
            with self._checkpoints.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - LONGEST_LINE, 0))
                end = file.read()
        except FileNotFoundError:
            return ""
        if not end.endswith(b"\n"):
            return "broken off"
        one = own_line(end.decode(errors="replace").split("\n")[-2] + "\n")
        return one.mac if one is not None else "altered"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield


# what checks found, as it is kept
LINE_ALTERED = KeptSentence(gettext_noop("Line %(line)s of %(file)s was altered."))
LINE_MISSING = KeptSentence(gettext_noop("A line before line %(line)s of %(file)s is missing."))
FILE_MISSING = KeptSentence(gettext_noop("%(file)s is missing."))
FILE_ALTERED = KeptSentence(gettext_noop("%(file)s was altered."))
_CUT = KeptSentence(gettext_noop("%(file)s does not end with the line that heads.json beside it names."))
