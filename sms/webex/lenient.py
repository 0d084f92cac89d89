"""JSON that is slightly broken, as gateways, templates and old clients write it, read as it was meant: `decoded`.

Nothing that the provider or a middleman posts is refused for its form: where nothing helps, the caller keeps the body. Each repair is
tried only where the one before did not help, so what is right costs nothing.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

MOST_JOINED = 50
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_HALVES = re.compile("[\ud800-\udfff]")
_TRAILING_COMMA = re.compile(r'("(?>(?:[^"\\]|\\.)*)(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
_BAD_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|)')
_FOLLOWS, _LEADS = 0x80, 0xC0  # bytes of a character in UTF-8
_FORM = re.compile(r"[\w.%+\[\]-]{1,60}=")


def decoded(raw: bytes) -> Any:
    """Raises ValueError and RecursionError."""
    text = text_of(raw).strip().strip("\0").strip()
    for written in (text, unquote_plus(text) if text.startswith("%7") else ""):
        start = min((at for at in map(written.find, "{[") if at >= 0), default=-1)
        if start < 0 or (start and _FORM.match(written)):
            continue
        for candidate in _repairs(written[start:]):
            try:
                found = _with_the_next(candidate)
            except ValueError:
                continue
            return whole_characters(found)
    if _FORM.match(text):
        return _of_form(text)
    return whole_characters(_of_text(text))


def joined(raw: bytes) -> list[bytes]:
    """Each object of a body in which a gateway put several; empty where it is one, or too many to take while it waits."""
    try:
        said = decoded(raw)
    except (ValueError, RecursionError):
        return []
    several = isinstance(said, list) and 1 < len(said) <= MOST_JOINED
    if not several or not all(isinstance(one, dict) for one in said):
        return []
    return [json.dumps(one).encode() for one in said]


def _with_the_next(text: str) -> Any:
    """The value at its beginning; with the objects behind it, where a gateway joined several bodies, a list of them all."""
    found, end = _DECODER.raw_decode(text)
    every = [found]
    while (start := text.find("{", end)) >= 0:
        try:
            one, end = _DECODER.raw_decode(text, start)
        except ValueError:
            break
        every.append(one)
    return every if len(every) > 1 else found


def text_of(raw: bytes) -> str:
    """Its characters: by a mark at its beginning, as UTF-16 by its zeros, as UTF-8, and what is none as Windows-1252."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return _characters(raw.removeprefix(mark), encoding)
    if len(raw) > 3 and not raw[0] and raw[1]:
        return _characters(raw, "utf-16-be")
    return _characters(raw, "utf-16-le" if len(raw) > 3 and raw[0] and not raw[1] else "utf-8")


def _characters(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            return raw.decode(encoding, "replace")
    text = raw.decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]+", lambda found: _foreign_bytes(found[0]), text)


def _foreign_bytes(escaped: str) -> str:
    """Bytes that are no UTF-8: two halves that were encoded alone, a character that was cut, or Windows-1252."""
    raw = bytes(ord(char) & 0xFF for char in escaped)
    try:
        halves = raw.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except UnicodeDecodeError:
        cut = len(raw) > 1 and raw[0] >= _LEADS and all(_FOLLOWS <= byte < _LEADS for byte in raw[1:])
        return "\ufffd" if cut else raw.decode("cp1252", "replace")


def whole_characters(value: Any) -> Any:
    """With U+FFFD for each half of a character, which nothing can store; two halves are one."""
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [whole_characters(one) for one in value]
    if isinstance(value, dict):
        return {whole_characters(name): whole_characters(one) for name, one in value.items()}
    return value


def _repairs(text: str) -> Iterator[str]:
    yield text
    plain = _TRAILING_COMMA.sub(lambda found: found[1] or "", text)
    plain = _BAD_ESCAPE.sub(lambda found: found[0] if found[1] else r"\\", plain)
    yield plain


def _said(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last of a name that stands there twice, unless it says nothing."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in found or value not in (None, "", [], {}):
            found[name] = value
    return found


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_said)


def _of_form(text: str) -> Any:
    """A form: its fields, or the one field that holds all as JSON."""
    fields = _said(parse_qsl(text, keep_blank_values=True, errors="replace"))
    for value in fields.values():
        if value.lstrip().startswith("{"):
            return decoded(value.encode("utf-8", "surrogatepass"))
    return whole_characters(fields)


def _of_text(text: str) -> Any:
    """JSON that was written as a text of JSON once more; any other single value as it is."""
    found, _ = _DECODER.raw_decode(text)
    if isinstance(found, str) and found.lstrip().startswith("{"):
        return decoded(found.encode("utf-8", "surrogatepass"))
    return found
