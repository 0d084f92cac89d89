"""An XLS by hand: Microsoft's old container around the records of Excel 97."""

import struct

from tests.support.spreadsheets import Formula, Sheet

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STATES = {"visible": 0, "hidden": 1, "veryHidden": 2}
ERRORS = {"#DIV/0!": 0x07, "#N/A": 0x2A}


def xls(*sheets: Sheet) -> bytes:
    bodies = [_sheet(one) for one in sheets]
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 0)) + _record(
        0x0042, struct.pack("<H", 1200)
    )
    names = [one.name.encode("utf-16-le") for one in sheets]
    size = len(begin) + sum(4 + 8 + len(name) for name in names) + 4
    listed = b""
    for sheet, name, body in zip(sheets, names, bodies, strict=True):
        head = struct.pack("<IBBBB", size, STATES[sheet.state], 0, len(sheet.name), 1)
        listed += _record(0x0085, head + name)
        size += len(body)
    return container(begin + listed + _record(0x000A) + b"".join(bodies))


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _sheet(sheet: Sheet) -> bytes:
    made = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 0))]
    made += [_record(0x009B)] if sheet.filtered else []
    made += [_record(0x007D, struct.pack("<HHHHHH", at, at, 2000, 15, 1, 0)) for at in sheet.hidden_columns]
    made += [
        _record(
            0x0208,
            struct.pack(
                "<HHHHHHHH", at, 0, sheet.width, 255, 0, 0, 0x20 if at in sheet.hidden_rows else 0, 15
            ),
        )
        for at in range(len(sheet.rows))
    ]
    for at, cells in enumerate(sheet.rows):
        for column, cell in enumerate(cells):
            place = struct.pack("<HHH", at, column, 15)
            if isinstance(cell, Formula):
                if cell.error:
                    made.append(_record(0x0205, place + bytes([ERRORS[cell.error], 1])))
                continue
            if cell:
                text = cell.encode("utf-16-le")
                made.append(_record(0x0204, place + struct.pack("<HB", len(cell), 1) + text))
    if sheet.merges:
        ranges = b"".join(
            struct.pack("<HHHH", top, bottom, left, right) for top, left, bottom, right in sheet.merges
        )
        made.append(_record(0x00E5, struct.pack("<H", len(sheet.merges)) + ranges))
    return b"".join([*made, _record(0x000A)])


def container(stream: bytes, name: str = "Workbook") -> bytes:
    """Streams of less than 4096 bytes lie elsewhere in such a file, so it is made longer."""
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // SECTOR)
    fats = 1
    while fats * 128 < sectors + fats + 1:
        fats += 1
    chain = [FAT] * fats + [END] + [fats + 2 + at for at in range(sectors - 1)] + [END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(fats * SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, fats, fats, 0, 4096, END, 0, END, 0)
    header += struct.pack(f"<{fats}I", *range(fats)).ljust(436, b"\xff")
    entries = _entry("Root Entry", 5, END, 0, child=1) + _entry(name, 2, fats + 1, len(stream))
    directory = entries + _entry("", 0, 0, 0) * 2
    return header + table + directory + stream.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, kind: int, start: int, size: int, *, child: int = FREE) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2 if name else 0, kind, 1)
    return head + struct.pack("<III", FREE, FREE, child) + bytes(36) + struct.pack("<IQ", start, size)
