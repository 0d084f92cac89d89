"""Subject access: everything that is held about one number of a service, as JSON for programs and HTML for people, in a ZIP.

Only what is the person's: numbers of other people do not get in, neither as rows nor inside of texts. Called by the page *Personal data*
and `manage.py disclose_number`; each time is in the audit, with the reason.

    held   messages, answers, refusals, lists, drafts      other_rows   files, receipts without a message, every other text
    own    without the numbers of others
"""

import io
import json
import math
import zipfile
from typing import Any

from django.template.loader import render_to_string

from sms.compliance.disclosure.held import held_about
from sms.models import Actor, Service
from sms.models.audit import audit
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention


def disclose(service: Service, e164: str, *, reason: str, by: Actor, seconds: float = math.inf) -> bytes:
    """The ZIP. Raises ArchiveError where an archive cannot be read: half an answer is none.

    Long tables are looked through for `seconds` at most, and the ZIP says what was not.
    """
    held = held_about(service, e164, seconds=seconds)
    audit(
        "number.disclosed",
        by=by,
        service=service.slug,
        noun="person",  # found again on the page of the person
        key=hidden(e164, key=service.number_key),
        reason=Mention(e164).without(reason),
        messages=len(held["messages"]),
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("data.json", json.dumps(held, indent=2, ensure_ascii=False, default=str))
        zipped.writestr("data.html", page_of(held))
    return out.getvalue()


def page_of(held: dict[str, Any]) -> str:
    """What is held, for people."""
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
