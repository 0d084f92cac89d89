"""What is held, as a page for people."""

import json
from html import escape
from typing import Any

HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is held about {number}</title>'
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}"
    "dt{{font-weight:600}}dd{{margin:0 0 .5rem;overflow-wrap:anywhere;white-space:pre-wrap}}"
    "section{{border-top:1px solid #999;padding:1rem 0}}</style>"
    "<h1>What {held_by} holds about {number}</h1><p>As of {as_of}. Times are UTC. The same data for programs is in data.json. Numbers of "
    "other people are left out. Backups and copies of logs outside of the desk are not searched.</p>"
)
TITLES = {
    "messages": "Messages sent to you",
    "answers": "Messages from you",
    "opt_outs": "Your refusals",
    "audiences": "Lists of recipients that name you",
    "rejected_rows": "Rows of lists that were left out",
    "drafts": "Drafts that name you",
    "callbacks": "What other systems were told about messages to you",
    "uploaded_files": "Files of recipients that name you",
    "other_texts": "Other texts that name you",
    "other_receipts": "Receipts that name you, of no message of yours that is known",
    "report_files": "Report files that name you",
}
NOT_COMPLETE = "What is not in here"


def page_of(held: dict[str, Any]) -> str:
    """The whole page."""
    parts = [HEAD.format(**{name: escape(str(held[name])) for name in ("number", "held_by", "as_of")})]
    for name, title in TITLES.items():
        parts.append(f"<h2>{escape(title)} ({len(held[name])})</h2>")
        if not held[name]:
            parts.append("<p>Nothing is held.</p>")
        for entry in held[name]:
            rows = "".join(
                f"<dt>{escape(key.replace('_', ' '))}</dt><dd>{escape(_written(value))}</dd>"
                for key, value in entry.items()
                if value not in ("", [], {}, None)
            )
            parts.append(f"<section><dl>{rows}</dl></section>")
    if held["not_complete"]:
        said = "".join(f"<li>{escape(one)}</li>" for one in held["not_complete"])
        parts.append(f"<h2>{NOT_COMPLETE}</h2><ul>{said}</ul>")
    return "".join(parts)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
