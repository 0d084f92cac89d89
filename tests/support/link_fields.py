"""The link options as a service sends them that nothing is known of: all six, with its own tags where there are none."""

from typing import Any


def all_six(**asked: Any) -> dict[str, Any]:
    """By their names on the wire; `domain` is always asked for."""
    return {
        "shortenLinks": False,
        "trackClicks": False,
        "tag1": "textdesk",
        "tag2": "sms",
        "allowFallbackURL": "false",
    } | asked
