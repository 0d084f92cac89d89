"""The page `docs/webex-connect.md`, made of the rows. `python -m tests.contract` writes it."""

from pathlib import Path

from tests.contract.answer_rows import ANSWERS, CODE_ROWS
from tests.contract.reply_rows import CALLING, REPLY
from tests.contract.reported_rows import INCOMING, RECEIPT
from tests.contract.request_rows import REQUEST
from tests.contract.rows import Part, Row
from tests.support import option_table

PAGE = Path(__file__).parents[2] / "docs" / "webex-connect.md"
PARTS = (REQUEST, CALLING, REPLY, RECEIPT, INCOMING, ANSWERS, CODE_ROWS)
HEAD = """# Webex Connect, field by field

How Textdesk speaks Send Message API v2 for SMS. This page is made of the rows in `tests/contract/`, and every example in it is executed
over HTTP by `tests/contract/test_contract.py`. Change a row there, then write the page with `python -m tests.contract`.

- **Client side**: `sms/webex/` (`wire` writes, `rules` refuses, `client` posts, `replies` and `receipts` read). **Other side**:
  `sms/webex/sandbox/`, written independently from the same documents. Neither imports the other, so the sandbox has limits and patterns
  of its own.
- **Seed** is the provider's page "Send Message API v2" that the project started from, and wins where sources differ. **Later** marks
  what only newer pages of the provider's documentation have (version 6.20).
- The second column says where a person sets it; "–" means that no page does. "From the wire" is a partner's request to our own
  `POST /v2/messages`, in the provider's body; `sms/api/drop_in/` reads it, with all the spellings of the provider's samples.
- No request leaves that breaks a rule: `wire.encode` raises `WireError` with the field's path and the rule in words, and the message
  fails with that.
"""


def page() -> str:
    return "\n".join([HEAD, *map(_part, PARTS), _options()])


def _options() -> str:
    table = [_line(option_table.COLUMNS), "|" + "---|" * len(option_table.COLUMNS)]
    table += map(_line, option_table.rows())
    texts = [f"## {option_table.TITLE}", option_table.BEFORE, "\n".join(table), option_table.AFTER]
    return "\n\n".join(texts) + "\n"


def _part(part: Part) -> str:
    texts = [f"## {part.title}", part.before, _table(part), part.after]
    return "\n\n".join(filter(None, texts)) + "\n"


def _table(part: Part) -> str:
    return "\n".join([_line(part.columns), "|" + "---|" * len(part.columns), *map(_row, part.rows)])


def _row(row: Row) -> str:
    return _line((row.name, *row.cells, "<br>".join(one.shown() for one in row.examples)))


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
