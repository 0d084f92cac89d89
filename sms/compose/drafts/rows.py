"""The audience of a draft: few rows are read each time, many, or ones that were corrected, are in an audience version."""

import io

from sms.audiences import contents, errors, storage
from sms.audiences.files import Audience, AudienceError, Limits, read, read_pasted
from sms.audiences.files.rows import SMALL
from sms.compose.drafts.versions import PASTED, begin_reading, country_of, current_version, stored_audience
from sms.compose.errors import ComposeError, Problem
from sms.compose.order import LARGE
from sms.models import Draft, SavedAudience


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
        field = "column" if problem.code in {"unknown_column", "no_column"} else "audience"
        raise ComposeError([Problem(field, str(problem))]) from None
    if len(audience.recipients) > LARGE:  # few bytes, but many rows: they are checked where they are stored
        return stored_audience(begin_reading(draft, limits=limits))
    return audience


def _one_source(draft: Draft) -> None:
    given = [
        words
        for words, is_there in (
            (PASTED, draft.pasted.strip()),
            ("a file", draft.upload),
            ("a saved audience", draft.audience),
        )
        if is_there
    ]
    if len(given) > 1:
        what = " and ".join(given)
        raise ComposeError([Problem("audience", f"There are {what}. Clear what you do not want.")])


def _read(draft: Draft, *, limits: Limits) -> Audience:
    country, upload = country_of(draft), draft.upload
    if upload is None:
        return read_pasted(
            draft.pasted, country=country, limits=limits, allow_duplicates=draft.allow_duplicates
        )
    return read(
        io.BytesIO(bytes(upload.content)),
        name=upload.name,
        country=country,
        column=draft.column or None,
        limits=limits,
        allow_duplicates=draft.allow_duplicates,
    )


def _is_large(draft: Draft) -> bool:
    return (draft.upload.size if draft.upload else len(draft.pasted)) > SMALL


def _saved(kept: SavedAudience) -> Audience | storage.StoredAudience:
    if kept.archived_at or kept.current is None:
        raise ComposeError([Problem("audience", f"“{kept}” is archived. Choose another audience.")])
    try:
        if kept.current.recipients > LARGE and kept.current.erased_at is None:
            return storage.StoredAudience(kept.current)
        return contents.audience_of(kept.current)
    except errors.SavedError as problem:
        raise ComposeError([Problem("audience", str(problem))]) from None
