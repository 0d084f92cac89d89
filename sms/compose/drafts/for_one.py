"""Drafts to one person whose number stays here: to write to them, or to send them once more what they did not get. Nothing is sent.

The number comes as a file of one row that is withheld, as rows of a saved audience are, so that who writes does not see it.
"""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.compose.drafts.duplicate import draft_like
from sms.models import Actor, Draft, Message, Service, Upload
from sms.models.audit import audit
from sms.values.msisdn.mention import starred

HEADING = "number"
FILE = gettext_noop("One person")


def draft_to(service: Service, e164: str, *, by: Actor) -> Draft:
    """An empty one."""
    draft = Draft(service=service)
    with transaction.atomic():
        _address(draft, e164, by=by)
        draft.save()
        audit("draft.created", draft, by=by)
    return draft


def same_again(message: Message, *, by: Actor) -> tuple[Draft, list[str]]:
    """Like the send of a message that still has its number, with the text that this person was to get; and what was not kept."""
    send = message.send
    draft, not_kept = draft_like(send)
    if starred(message.text, message.msisdn) != message.text:  # who writes the draft would read the number
        draft.text, draft.template, draft.fillings = "", None, {}
        not_kept.append(_("The text says the number of this person, which stays hidden. Write it again."))
    elif message.text:
        draft.text, draft.template, draft.fillings = message.text, None, {}
    elif send.template_id is None:
        draft.text = ""
        not_kept.append(_("The text of this message is kept no longer. Write it again."))
    with transaction.atomic():
        _address(draft, message.msisdn, by=by)
        draft.save()
        audit("draft.created", draft, by=by, duplicate_of=send.pk)
        audit("send.duplicated", send, by=by, draft=draft.pk, who="one person")
    return draft, not_kept


def _address(draft: Draft, e164: str, *, by: Actor) -> None:
    content = f"{HEADING}\n{e164}\n".encode()
    kept = {"service": draft.service, "name": FILE, "user": by.user, "withheld": True}
    draft.upload = Upload.keep(content, **kept)
    draft.column, draft.country = HEADING, draft.service.default_country
    draft.pasted, draft.audience, draft.version = "", None, None
    draft.created_by = draft.changed_by = by.user
