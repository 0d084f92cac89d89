"""What is held, as a page for people (`templates/disclosure/page.html`)."""

import json
from typing import Any

from django.template.loader import render_to_string


def page_of(held: dict[str, Any]) -> str:
    kinds = {
        kind: found for kind, found in held.items() if isinstance(found, list) and kind != "not_complete"
    }
    return render_to_string(
        "disclosure/page.html",
        held | {kind: [_labelled(entry) for entry in found] for kind, found in kinds.items()},
    )


def _labelled(entry: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            name.replace("_", " "),
            value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str),
        )
        for name, value in entry.items()
        if value not in ("", [], {}, None)
    ]
