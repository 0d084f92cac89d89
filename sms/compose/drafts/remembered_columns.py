"""The column, country and placeholder sources chosen for a file, offered for the next one with the same headings."""

import hashlib
import json

from sms.audiences.files import AudienceError, Limits, headings_of
from sms.compose.drafts.versions import choices_of
from sms.models import ColumnMemory, Draft


def recall_columns(draft: Draft, *, limits: Limits) -> bool:
    """Fill them in as they were chosen for the last file with these headings; True where there was one.

    For a file that was just uploaded. What the draft has already stays. The caller saves.
    """
    key = _headings_key(draft, limits=limits)
    found = ColumnMemory.objects.filter(service=draft.service, headings=key).first() if key else None
    if found is None:
        return False
    draft.column = draft.column or found.column
    draft.country = draft.country or found.country
    draft.fillings = {**found.fillings, **draft.fillings}
    for name, value in found.choices.items():
        if getattr(draft, name) in (None, ""):
            setattr(draft, name, value)
    return True


def remember_columns(draft: Draft, *, limits: Limits) -> None:
    if key := _headings_key(draft, limits=limits):
        chosen = {
            "column": draft.column,
            "country": draft.country,
            "fillings": draft.fillings,
            "choices": choices_of(draft).of_headings,
        }
        ColumnMemory.objects.update_or_create(service=draft.service, headings=key, defaults=chosen)


def _headings_key(draft: Draft, *, limits: Limits) -> str:
    if draft.upload is None or draft.audience is not None:
        return ""
    try:
        with draft.upload.opened() as file:
            country = draft.country or draft.service.default_country
            headings = headings_of(file, country=country, limits=limits)
    except AudienceError:
        return ""
    return hashlib.sha256(json.dumps(headings).encode()).hexdigest()
