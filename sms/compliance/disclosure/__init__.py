"""Subject access: everything that is held about one number of a service, as JSON for programs and HTML for people, in a ZIP.

Only what is the person's: numbers of other people do not get in, neither as rows nor inside of texts. Called by the page *Personal data*
and `manage.py disclose_number`; each time is in the audit, with the reason.

    held   messages, answers, refusals, lists, drafts      other_rows   files, receipts without a message, every other text
    own    without the numbers of others                   page      for people
"""

import io
import json
import math
import zipfile

from sms.compliance.disclosure.held import held_about
from sms.compliance.disclosure.page import page_of
from sms.models import Actor, Service
from sms.models.audit import audit
from sms.values.msisdn.mention import Mention

__all__ = ["disclose", "held_about"]


def disclose(service: Service, e164: str, *, reason: str, by: Actor, seconds: float = math.inf) -> bytes:
    """The ZIP. Raises ArchiveError where an archive cannot be read: half an answer is none.

    Long tables are looked through for `seconds` at most, and the ZIP says what was not.
    """
    held = held_about(service, e164, seconds=seconds)
    audit(
        "number.disclosed",
        service,
        by=by,
        reason=Mention(e164).without(reason),
        messages=len(held["messages"]),
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("data.json", json.dumps(held, indent=2, ensure_ascii=False, default=str))
        zipped.writestr("data.html", page_of(held))
    return out.getvalue()
