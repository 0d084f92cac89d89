"""Where a draft's recipients are: read at every look if they are few, in an audience version if they are many, or were put right."""

import hashlib
import io
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from sms.audiences import saved, storage
from sms.audiences.files import Audience, AudienceError, Limits, Recipient, RejectedRow, read, read_pasted
from sms.audiences.files.rows import SMALL
from sms.compose.errors import ComposeError, Problem
from sms.compose.order import LARGE
from sms.models import AudienceVersion, Draft, Preparation, SavedAudience, Upload

PASTED = "pasted numbers"


class NotReady(ComposeError):
    """Its audience is being read or checked; `preparation` says how far it is."""

    def __init__(self, preparation: Preparation) -> None:
        what = preparation.get_kind_display()
        share = f" ({preparation.share} %)" if preparation.total else ""
        super().__init__([Problem("audience", f"{what}{share}. Try again in a moment.")])
        self.preparation = preparation


def audience_of(draft: Draft, *, limits: Limits) -> Audience | storage.StoredAudience:
    """The draft's rows; raises ComposeError naming `audience` or `column`, and NotReady while a large file is being read."""
    _one_source(draft)
    if draft.audience is not None:
        return _saved(draft.audience)
    version = _in_step(draft)
    if version is None and _is_large(draft):
        version = _begin_reading(draft, limits=limits)
    if version is not None:
        return _ready(version)
    try:
        audience = _read(draft, limits=limits)
    except AudienceError as problem:
        field = "column" if problem.code in {"unknown_column", "no_column"} else "audience"
        raise ComposeError([Problem(field, str(problem))]) from None
    if len(audience.recipients) > LARGE:  # few bytes, but many rows: they are checked where they are kept
        return _ready(_begin_reading(draft, limits=limits))
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
    country, upload = _country(draft), draft.upload
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


def _country(draft: Draft) -> str:
    return draft.country or draft.service.default_country


def _is_large(draft: Draft) -> bool:
    return (draft.upload.size if draft.upload else len(draft.pasted)) > SMALL


def _saved(kept: SavedAudience) -> Audience | storage.StoredAudience:
    if kept.archived_at or kept.current is None:
        raise ComposeError([Problem("audience", f"“{kept}” is archived. Choose another audience.")])
    try:
        if kept.current.recipients > LARGE and kept.current.erased_at is None:
            return storage.StoredAudience(kept.current)
        return saved.audience_of(kept.current)
    except saved.SavedError as problem:
        raise ComposeError([Problem("audience", str(problem))]) from None


def _in_step(draft: Draft) -> AudienceVersion | None:
    """What its file or paste was read into, if it is still that file, read in that way."""
    version = root = draft.version
    while root is not None and root.mends is not None:
        root = root.mends
    if root is None or root.upload_id is None:
        return None
    same_source = (
        root.upload_id == draft.upload_id
        if draft.upload_id
        else root.source == PASTED and _is_pasted(root.upload_id, draft.pasted)
    )
    same_way = (root.country, root.asked_column, root.allow_duplicates) == (
        _country(draft),
        draft.column if draft.upload_id else "",
        draft.allow_duplicates,
    )
    return version if same_source and same_way else None


def version_in_use(draft: Draft) -> AudienceVersion | None:
    """What its large file or paste was read into; None for few rows, a saved audience, and while another file was just chosen."""
    return None if draft.audience_id else _in_step(draft)


def _is_pasted(upload_id: int, pasted: str) -> bool:
    digest = hashlib.sha256(pasted.encode("utf-8", "replace")).hexdigest()
    return Upload.objects.filter(pk=upload_id, sha256=digest).exists()


def _begin_reading(draft: Draft, *, limits: Limits) -> AudienceVersion:
    """A version for what it holds now; whoever prepares reads it. What was being read before is no more wanted."""
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if locked.version_id != draft.version_id:  # somebody else looked at the same moment
            draft.version = locked.version
            if (there := _in_step(draft)) is not None:
                return there
        if locked.version_id:
            _not_wanted(locked.version_id)
        upload = draft.upload or Upload.keep(
            draft.pasted.encode("utf-8", "replace"), service=draft.service, name=PASTED, user=draft.created_by
        )
        version = _version(draft, upload, limits=limits, pasted=draft.upload is None)
        Draft.objects.filter(pk=draft.pk).update(version=version)
    draft.version = version
    return version


def _version(
    draft: Draft,
    upload: Upload,
    *,
    limits: Limits,
    pasted: bool = False,
    mends: AudienceVersion | None = None,
) -> AudienceVersion:
    version = AudienceVersion.objects.create(
        service=draft.service,
        number=1,
        upload=upload,
        mends=mends,
        source=mends.source if mends else upload.name,
        country=_country(draft),
        asked_column=draft.column if draft.upload else "",
        allow_duplicates=draft.allow_duplicates,
        made_by=upload.uploaded_by,
        ready_at=None,
    )
    version.preparation = Preparation.objects.create(
        service=draft.service,
        kind=Preparation.Kind.READ,
        version=version,
        total=upload.size,
        cursor={"limits": asdict(limits), "pasted": pasted},
    )
    return version


def _not_wanted(version_id: int) -> None:
    """The reading of a file that was replaced; its rows go with the next tidying (`prepare.forget`)."""
    Preparation.objects.filter(version=version_id, state=Preparation.State.WAITING).update(
        state=Preparation.State.CANCELLED, owner="", leased_until=None, ended_at=timezone.now()
    )


def first_rows(version: AudienceVersion, most: int) -> tuple[list[Recipient], list[RejectedRow]]:
    """The first rows that are kept, and the first that are not, as far as they are known while it is read."""
    rows = version.chunks.order_by("place")
    good = [one for chunk in rows.filter(count__gt=0)[:1] for one in storage.recipients_of(chunk)]
    bad = [one for chunk in rows.filter(rejected__gt=0)[:3] for one in storage.rejects_of(chunk)]
    return good[:most], sorted(bad, key=lambda one: one.row)[:most]


def _ready(version: AudienceVersion) -> storage.StoredAudience:
    if version.ready_at is not None:
        return storage.StoredAudience(version)
    preparation = Preparation.objects.get(version=version)
    if preparation.state == Preparation.State.FAILED:
        raise ComposeError([Problem(preparation.trouble_field or "audience", preparation.trouble)])
    raise NotReady(preparation)


def base_of_corrections(draft: Draft, *, limits: Limits) -> AudienceVersion:
    """The rows that corrections join; few rows, too, are read into a version for it. Raises NotReady until they are, and as `add_corrections` does."""
    if draft.audience is not None:
        raise ComposeError([Problem("file", "A saved audience is replaced on its own page.")])
    base = _in_step(draft)
    if base is None:
        base = _begin_reading(draft, limits=limits)
    if base.ready_at is None:
        _ready(base)  # says how far it is, or why it failed
    return base


def add_corrections(draft: Draft, file: bytes, *, name: str, limits: Limits, user: Any) -> Preparation:
    """Rows of its rejects that were put right join those that are kept; raises ComposeError where there is nothing to mend.

    The rows that the file does not name stay what they are, kept or rejected. It may be done as often as needed.
    """
    base = base_of_corrections(draft, limits=limits)
    with transaction.atomic():
        upload = Upload.keep(file, service=draft.service, name=name, user=user)
        version = _version(draft, upload, limits=limits, mends=base)
        if not Draft.objects.filter(pk=draft.pk, version=base).update(version=version):
            raise ComposeError(
                [Problem("file", "Somebody changed the audience meanwhile. Look at it again.")]
            )
    draft.version = version
    return version.preparation
