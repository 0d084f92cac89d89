"""Microsoft's old container (OLE), in which an XLS lies: the bytes of its workbook. Called by `xls_layout`.

A chain of sectors that runs in a circle is an `EndlessChain`: the parser would follow it until the memory is full. Whatever else is damaged
is another ValueError.
"""

import struct
from collections.abc import Sequence

_END = 0xFFFFFFFA  # this and higher numbers are no sectors
_ENTRY = 128
_STREAM, _ROOT = 2, 5
_WORKBOOK = ("workbook", "book")


class EndlessChain(ValueError):
    """A sector leads back to itself."""


def workbook_stream(content: bytes) -> bytes:
    """The records of an XLS."""
    try:
        return _Container(content).workbook()
    except struct.error as damaged:
        raise ValueError("damaged") from damaged


class _Container:
    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise ValueError("no container")
        self._size: int = 512 if shift == 9 else 4096
        self._mini = 64
        self._most = len(content) // self._size + 1  # sectors
        _, self._directory, _, self._cutoff, mini_fat, _, more, _ = struct.unpack_from("<8I", content, 44)
        self._fat = self._table(self._fat_sectors(more))
        _refuse_circles(self._fat)
        self._mini_fat = self._table(self._chain(mini_fat, self._fat))
        _refuse_circles(self._mini_fat)

    def workbook(self) -> bytes:
        directory = self._joined(self._directory)
        root = 0
        found: dict[str, tuple[int, int]] = {}
        for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            length, kind = struct.unpack_from("<HB", directory, at + 64)
            name = directory[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace").lower()
            start, size = struct.unpack_from("<II", directory, at + 116)
            if kind == _ROOT:
                root = start
            elif kind == _STREAM:
                found.setdefault(name, (start, size))
        start, size = found[next((name for name in _WORKBOOK if name in found), "")]
        if size >= self._cutoff:
            return self._joined(start)[:size]
        small, places = self._joined(root), self._chain(start, self._mini_fat)
        return b"".join(small[at * self._mini : (at + 1) * self._mini] for at in places)[:size]

    def _fat_sectors(self, more: int) -> list[int]:
        """The first 109 are in the header, others in sectors that point to each other."""
        listed = list(struct.unpack_from("<109I", self._content, 76))
        entries = self._size // 4
        for _ in range(self._most):
            if more >= _END:
                break
            *further, more = struct.unpack_from(f"<{entries}I", self._content, self._at(more))
            listed += further
        else:
            raise EndlessChain
        return [one for one in listed if one < _END][: self._most]

    def _table(self, sectors: Sequence[int]) -> Sequence[int]:
        joined = b"".join(self._sector(one) for one in sectors)
        return struct.unpack(f"<{len(joined) // 4}I", joined[: len(joined) // 4 * 4])

    def _chain(self, start: int, table: Sequence[int]) -> list[int]:
        chain: list[int] = []
        while start < _END:
            chain.append(start)
            start = table[start]
        return chain

    def _joined(self, start: int) -> bytes:
        return b"".join(map(self._sector, self._chain(start, self._fat)))

    def _sector(self, number: int) -> bytes:
        at = self._at(number)
        return self._content[at : at + self._size]

    def _at(self, number: int) -> int:
        """Behind the header, which takes up a whole sector whatever its size."""
        return (number + 1) * self._size


def _refuse_circles(table: Sequence[int]) -> None:
    done = bytearray(len(table))  # 1: on the way that is being followed, 2: leads to an end
    for start in range(len(table)):
        way = []
        at = start
        while at < len(table) and not done[at]:
            done[at] = 1
            way.append(at)
            at = table[at]
        if at < len(table) and done[at] == 1:
            raise EndlessChain
        for one in way:
            done[one] = 2
