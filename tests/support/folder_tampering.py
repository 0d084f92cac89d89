"""What a person with the disk and without the key might do to a folder of checkpoints, at random.

Called by the tests and by `tests.bench.audit`, on a copy of the folder.
"""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class FolderTamperer:
    """`folder` is as `CheckpointFiles` wrote it, with some lines; each act leaves it otherwise than it was."""

    folder: Path
    chance: random.Random

    @property
    def kinds(self) -> list[Callable[[], None]]:
        return [
            self.remove_everything,
            self.remove_heads,
            self.remove_lines,
            self.empty_heads,
            self.change_a_head,
            self.drop_a_head,
            self.take_a_line_for_a_head,
            self.forget_the_last_line,
            self.change_a_line,
            self.drop_a_line,
            self.swap_two_lines,
            self.cut_off_lines,
            self.repeat_a_line,
            self.break_a_line,
            self.call_a_line_otherwise,
            self.lay_out_otherwise,
            self.add_a_line,
        ]

    @property
    def _heads(self) -> Path:
        return self.folder / "heads.json"

    def _lines(self) -> list[str]:
        return self._path.read_text().splitlines(keepends=True)

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoints.jsonl"

    def _write(self, lines: list[str]) -> None:
        self._path.write_text("".join(lines))

    def _read_heads(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._heads.read_text())
        return found

    def remove_everything(self) -> None:
        shutil.rmtree(self.folder)

    def remove_heads(self) -> None:
        self._heads.unlink()

    def remove_lines(self) -> None:
        self._path.unlink()

    def empty_heads(self) -> None:
        self._heads.write_text(self.chance.choice(("", "{}", "[]", "null")))

    def change_a_head(self) -> None:
        said = self._read_heads()
        head = self.chance.choice(said["heads"])
        key = self.chance.choice(("service", "hash", "at", "before", "mac"))
        head[key] = f"{head[key]}x"
        self._heads.write_text(json.dumps(said))

    def drop_a_head(self) -> None:
        said = self._read_heads()
        said["heads"].pop(self.chance.randrange(len(said["heads"])))
        self._heads.write_text(json.dumps(said))

    def take_a_line_for_a_head(self) -> None:
        """It has a true MAC, and is older."""
        said = self._read_heads()
        said["heads"][0] = json.loads(self._lines()[0])
        self._heads.write_text(json.dumps(said))

    def forget_the_last_line(self) -> None:
        """Cut off the last line, and name the one before it as the last."""
        lines, said = self._lines(), self._read_heads()
        said["last"] = json.loads(lines[-2])["mac"]
        self._heads.write_text(json.dumps(said))
        self._write(lines[:-1])

    def change_a_line(self) -> None:
        lines = self._lines()
        at = self.chance.randrange(len(lines))
        said = json.loads(lines[at])
        key = self.chance.choice(("service", "number", "hash", "at", "before", "mac"))
        said[key] = said[key] + 1 if key == "number" else f"{said[key]}x"
        lines[at] = json.dumps(said) + "\n"
        self._write(lines)

    def drop_a_line(self) -> None:
        lines = self._lines()
        lines.pop(self.chance.randrange(len(lines)))
        self._write(lines)

    def swap_two_lines(self) -> None:
        lines = self._lines()
        one, other = self.chance.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]
        self._write(lines)

    def cut_off_lines(self) -> None:
        lines = self._lines()
        self._write(lines[: self.chance.randrange(len(lines))])

    def repeat_a_line(self) -> None:
        lines = self._lines()
        self._write([*lines, self.chance.choice(lines)])

    def break_a_line(self) -> None:
        text = self._path.read_text()
        at = self.chance.randrange(len(text) - 1)
        self._path.write_text(text[:at] + self.chance.choice("\n\0x") + text[at + 1 :])

    def call_a_line_otherwise(self) -> None:
        """What collects log lines no longer takes it for a checkpoint."""
        lines = self._lines()
        at = self.chance.randrange(len(lines))
        lines[at] = lines[at].replace("audit_checkpoint", "audit-checkpoint")
        self._write(lines)

    def lay_out_otherwise(self) -> None:
        path = self.chance.choice((self._heads, self._path))
        path.write_bytes(path.read_bytes().replace(*self.chance.choice(((b", ", b","), (b"}", b" }")))))

    def add_a_line(self) -> None:
        self._write([*self._lines(), self.chance.choice(("{}\n", "x", "\n"))])
