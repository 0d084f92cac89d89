"""Huge texts through all that reads a text: `python -m tests.bench.text` prints one JSON line each, and fails where one takes seconds."""

import json
import sys
import time

from sms.values.text import culprits, placeholders, segments, to_gsm7

TEXTS = {
    "opened placeholders": "$(" * 50_000,
    "quotation marks": "’" * 20_000,
    "euros": "€" * 100_000,
    "Cyrillic": "аж" * 20_000,
    "combining accents": "e\u0301" * 20_000,
    "joined faces": "😀\u200d" * 20_000,
}
TARGET = 3.0  # seconds: anything quadratic takes minutes


def main() -> int:
    """Print the figures; 1 where one is over its target."""
    over = False
    for name, text in TEXTS.items():
        begun = time.perf_counter()
        for work in (segments, placeholders, to_gsm7, culprits):
            work(text)
        seconds = time.perf_counter() - begun
        over |= seconds > TARGET
        print(json.dumps({"figure": name, "seconds": round(seconds, 3), "target_seconds": TARGET}))
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
