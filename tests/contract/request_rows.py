"""The table of the request: every field of `POST /v2/messages`, its limits and its spellings."""

from tests.contract.asked import SMALLEST
from tests.contract.link_rows import LINKS
from tests.contract.option_rows import RECEIPTS_AND_TIMES, THE_REST
from tests.contract.recipient_rows import CONTENT, RECIPIENTS
from tests.contract.rows import Part, json_shown
from tests.contract.spelling_rows import SPELLINGS

REQUEST = Part(
    "Request",
    ("field", "set by a person", "what we send", "what the sandbox does", "source", "examples"),
    (*RECIPIENTS, *CONTENT, *LINKS, *RECEIPTS_AND_TIMES, *THE_REST, *SPELLINGS),
    before="An example is what a partner's request has beside, or instead of, the smallest: "
    f"`{json_shown(SMALLEST)}`.\n"
    "The same body is posted at our `POST /v2/messages` and at the sandbox, and what then leaves us is read off the wire; our\n"
    "correlation ids and receipt address are left out. The clock stands at 2026-03-02T09:00Z.",
)
