"""The audience of a draft: few rows are read each time, many, or ones that were corrected, are in an audience version."""

import io

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences import contents, errors, storage
from sms.audiences.files import Audience, AudienceError, Limits, read, read_pasted
from sms.audiences.files.rows import SMALL, ReadOptions
from sms.compose.drafts.versions import (
    PASTED,
    begin_reading,
    choices_of,
    country_of,
    current_version,
    stored_audience,
)
from sms.compose.errors import ComposeError
from sms.compose.order import LARGE
from sms.models import Draft, SavedAudience, Upload
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence

SOURCES = {
    (PASTED, "file"): gettext_noop("There are pasted numbers and a file. Clear what you do not want."),
    (PASTED, "saved"): gettext_noop(
        "There are pasted numbers and a saved audience. Clear what you do not want."
    ),
    ("file", "saved"): gettext_noop("There are a file and a saved audience. Clear what you do not want."),
    (PASTED, "file", "saved"): gettext_noop(
        "There are pasted numbers and a file and a saved audience. Clear what you do not want."
    ),
}
ARCHIVED = KeptSentence(gettext_noop("“%(audience)s” is archived. Choose another audience."))


def audience_of_draft(draft: Draft, *, limits: Limits) -> Audience | storage.StoredAudience:
    """The draft's rows; raises ComposeError naming `audience` or `column`, and NotReady while a large file is being read."""
    _one_source(draft)
    if draft.audience is not None:
        return _saved(draft.audience)
    version = current_version(draft)
    if version is None and _is_large(draft):
        version = begin_reading(draft, limits=limits)
    if version is not None:
        return stored_audience(version)
    try:
        audience = _read(draft, limits=limits)
    except AudienceError as problem:
        raise ComposeError([problem.problem]) from None
    if len(audience.recipients) > LARGE:  # few bytes, but many rows: they are checked where they are stored
        return stored_audience(begin_reading(draft, limits=limits))
    return audience


def _one_source(draft: Draft) -> None:
    if says := several_sources(draft.pasted, draft.upload, draft.audience):
        raise ComposeError([Problem(ProblemCode.ONLY_ONE, "audience", says)])


def several_sources(pasted: str, upload: Upload | None, audience: SavedAudience | None) -> str:
    """A sentence where the rows come from more than one place; otherwise empty."""
    sources = {PASTED: pasted.strip(), "file": upload, "saved": audience}
    given = tuple(one for one, is_there in sources.items() if is_there)
    return _(SOURCES[given]) if len(given) > 1 else ""


def _read(draft: Draft, *, limits: Limits) -> Audience:
    options: ReadOptions = {
        "country": country_of(draft),
        "column": draft.column if draft.upload else None,
        "choices": choices_of(draft),
        "limits": limits,
        "allow_duplicates": draft.allow_duplicates,
    }
    if draft.upload is None:
        return read_pasted(draft.pasted, **options)
    return read(io.BytesIO(bytes(draft.upload.content)), name=draft.upload.name, **options)


def _is_large(draft: Draft) -> bool:
    return (draft.upload.size if draft.upload else len(draft.pasted)) > SMALL


def _saved(kept: SavedAudience) -> Audience | storage.StoredAudience:
    if kept.archived_at or kept.current is None:
        says = _(ARCHIVED.text) % {"audience": kept}
        raise ComposeError([Problem(ProblemCode.NOT_USABLE, "audience", says)])
    try:
        if kept.current.recipients > LARGE and kept.current.erased_at is None:
            return storage.StoredAudience(kept.current)
        return contents.audience_of(kept.current)
    except errors.SavedError as problem:
        raise ComposeError([problem.problem]) from None
