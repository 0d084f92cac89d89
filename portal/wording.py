"""What the compose page says about the characters of a text, as a person types and after a press of a button."""

from typing import Any

from sms import text

LONGEST = 20_000  # characters looked at; no service takes as many
NAMED = 5


def replaceable(written: str) -> str:
    """`“–” and “’” have a counterpart in GSM-7`; empty where there is nothing to replace."""
    found = [one for one in text.culprits(written[:LONGEST]) if one.suggestion or one.remove]
    if not found:
        return ""
    pairs = list(
        dict.fromkeys(
            f"“{one.char}” → {f'“{one.suggestion}”' if one.suggestion else 'nothing'}" for one in found
        )
    )
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return f"{', '.join(pairs[:NAMED])}{more}."


def judged(written: str) -> dict[str, Any]:
    """The same for a script: what the text takes now, what it would take, and the text with everything replaced."""
    written = written[:LONGEST]
    plain = text.to_gsm7(written)
    now, then = text.segments(written), text.segments(plain)
    return {
        "encoding": now.encoding,
        "segments": now.count,
        "says": replaceable(written),
        "replaced": plain,
        "replaced_encoding": then.encoding,
        "replaced_segments": then.count,
    }
