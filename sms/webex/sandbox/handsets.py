"""The phones: which messages each number got, as JSON for programs and as a page for people."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Container, Iterable, Iterator
from html import escape
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.outcomes import ORDINARY
from sms.webex.sandbox.times import iso

PHONES = 200  # on a page
MESSAGES = 5  # on a phone
REFRESH = 5  # seconds

_LINK = re.compile(r"https?://[^\s/]+(/(?:m/)?[A-Za-z0-9]{6})(?![A-Za-z0-9/])")
_STYLE = Path(__file__).with_name("handsets.css").read_text("utf-8")
_TONES = {"Delivered": "good", "Clicked": "good", "Un-Delivered": "bad", "Failed": "bad"}


async def as_json(phones: dict[str, list[SandboxMessage]]) -> AsyncIterator[bytes]:
    """Messages by phone, with the last status of each, a part at a time so that sending goes on."""
    yield b"{"
    for index, phone in enumerate(list(phones)):
        shown = [
            {
                "at": iso(one.at),
                "from": one.order.sender,
                "text": one.text,
                "segments": one.segments,
                "status": one.status,
                "messageId": one.message_id,
                "correlationId": one.correlation,
            }
            for one in phones.get(phone, ())
        ]
        yield f"{', ' if index else ''}{json.dumps(phone)}: {json.dumps(shown)}".encode()
        if index % 500 == 499:
            await asyncio.sleep(0)
    yield b"}\n"


def wants_page(accept: str) -> bool:
    """Whether an ``Accept`` names HTML and likes it at least as much as JSON; ``*/*`` alone does not."""
    liking = {"text/html": 0.0, "application/json": 0.0}
    for one in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in one.split(";"))
        if kind in liking:
            quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            liking[kind] = float(quality) if re.fullmatch(r"[01](\.[0-9]{0,3})?", quality) else 0.0
    return 0 < liking["text/html"] >= liking["application/json"]


def as_page(phones: dict[str, list[SandboxMessage]], links: Container[str], query: str) -> str:
    """A wall of phones, the newest first. ``query`` may have ``number`` (a part of one), ``page`` and ``still``.

    ``links`` are the paths that this sandbox answers as short links; only those can be followed from the page.
    """
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    number = asked.get("number", "").strip()
    page = int(asked["page"]) if re.fullmatch(r"[0-9]{1,6}", asked.get("page", "")) else 1
    page = max(page, 1)
    still = "still" in asked or number != "" or page > 1
    digits = re.sub(r"[^0-9]", "", number)
    hits: Iterable[str] = reversed(phones)
    if number:
        hits = (phone for phone in hits if (digits in phone if digits else number in phone))
    shown = list(islice(hits, (page - 1) * PHONES, page * PHONES + 1))
    more = len(shown) > PHONES
    shown = shown[:PHONES]
    if shown:
        body = '<ul class="wall">' + "".join(_phone(phone, phones[phone], links) for phone in shown) + "</ul>"
    elif number:
        body = f'<p class="none">No number with {escape(number)} in it was written to.</p>'
    elif page > 1:
        body = '<p class="none">There are no phones on this page.</p>'
    else:
        body = '<p class="none">No number was written to yet. The next one appears here.</p>'
    refresh = "" if still else f'<meta http-equiv="refresh" content="{REFRESH}">'
    count = len(phones)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}'
        f'<meta name="color-scheme" content="light dark"><title>Phones of the sandbox</title>'
        f"<style>{_STYLE}</style></head><body><header><h1>Phones</h1>"
        f"<p>{count:,} {'number was' if count == 1 else 'numbers were'} written to. Nothing left this machine.</p>"
        '<form method="get" role="search"><label for="number">Number</label>'
        f'<input id="number" name="number" inputmode="tel" autocomplete="off" value="{escape(number)}">'
        f"<button>Search</button></form>{_state(number, page, still=still)}</header><main>{body}</main>"
        f"{_pages(number, page, more=more)}</body></html>\n"
    )


def _state(number: str, page: int, *, still: bool) -> str:
    if number or page > 1:
        return '<p class="state"><a href="?">All phones, newest first</a></p>'
    if still:
        return '<p class="state">Stands still. <a href="?">Refresh every few seconds</a></p>'
    return f'<p class="state">Refreshes every {REFRESH} seconds. <a href="?still=1">Hold still</a></p>'


def _pages(number: str, page: int, *, more: bool) -> str:
    links = []
    for there, to, label in ((page > 1, page - 1, "Newer phones"), (more, page + 1, "Older phones")):
        if there:
            asked = urlencode({"number": number, "page": to} if number else {"page": to})
            links.append(f'<a href="?{escape(asked)}">{label}</a>')
    return f'<nav aria-label="Pages">{" ".join(links)}</nav>' if links else ""


def _phone(phone: str, messages: list[SandboxMessage], links: Container[str]) -> str:
    earlier = len(messages) - MESSAGES
    note = f'<p class="earlier">{earlier:,} earlier</p>' if earlier > 0 else ""
    bubbles = "".join(_bubble(one, links) for one in messages[-MESSAGES:])
    return f"<li><h2>{escape(phone)}</h2>{note}{bubbles}</li>"


def _bubble(message: SandboxMessage, links: Container[str]) -> str:
    parts = "1 part" if message.segments == 1 else f"{message.segments} parts"
    at = iso(message.at)
    tone = _TONES.get(message.status, "open")
    why = "" if message.outcome is ORDINARY else f" · {escape(message.outcome.name)}"
    lost = ' class="lost"' if tone == "bad" else ""
    return (
        f'<article{lost}><p class="who"><b>{escape(message.order.sender)}</b> '
        f'<time datetime="{at}">{at[:10]} {at[11:19]} UTC</time></p>'
        f'<p class="text" dir="auto">{"".join(_text(message.text, links))}</p>'
        f'<p class="fate"><span class="{tone}">{escape(message.status)}</span> '
        f"{parts}{why}</p></article>"
    )


def _text(text: str, links: Container[str]) -> Iterator[str]:
    end = 0
    for match in _LINK.finditer(text):
        if match[1] in links:
            yield escape(text[end : match.start()])
            yield f'<a href="{match[1]}" target="_blank" rel="noreferrer noopener">{escape(match[0])}</a>'
            end = match.end()
    yield escape(text[end:])
