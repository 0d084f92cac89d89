"""The audience version that a draft's large file or paste is read into, and that work, which people can stop and take up again."""

import hashlib
from dataclasses import asdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences import storage
from sms.audiences.files import Limits, ReadingChoices, Recipient, RejectedRow
from sms.audiences.files.choices import AS_SEEN, NAMES
from sms.compose.errors import ComposeError
from sms.models import AudienceVersion, Draft, Preparation, Upload
from sms.models.sql.clock import corrected_now
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence, retold

PASTED = gettext_noop("pasted numbers")
# Translators: work is what is going on, such as “Reading the recipients”
UNDER_WAY = KeptSentence(gettext_noop("%(work)s (%(share)s %%). Try again in a moment."))
BEGINS = KeptSentence(gettext_noop("%(work)s. Try again in a moment."))


class NotReady(ComposeError):
    """Its audience is being read or checked; `preparation` says how far that is."""

    def __init__(self, preparation: Preparation) -> None:
        facts = {"work": preparation.get_kind_display(), "share": preparation.share}
        says = _((UNDER_WAY if preparation.total else BEGINS).text) % facts
        super().__init__([Problem(ProblemCode.NOT_READY, "audience", says)])
        self.preparation = preparation


class PreparationFailed(ComposeError):
    """Its audience could not be read or checked; `preparation` says why."""

    def __init__(self, preparation: Preparation) -> None:
        code = ProblemCode(preparation.trouble_code)
        super().__init__(
            [Problem(code, preparation.trouble_field or "audience", retold(preparation.trouble))]
        )
        self.preparation = preparation


def version_in_use(draft: Draft) -> AudienceVersion | None:
    """What its large file or paste was read into; None for few rows, a saved audience, and while another file was just chosen."""
    return None if draft.audience_id else current_version(draft)


def current_version(draft: Draft) -> AudienceVersion | None:
    """What its file or paste was read into, if that is still its file, read in that way."""
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
    same_way = (root.country, root.asked_column, root.allow_duplicates, root.choices) == (
        country_of(draft),
        draft.column if draft.upload_id else "",
        draft.allow_duplicates,
        choices_of(draft).as_json(),
    )
    return version if same_source and same_way else None


def _is_pasted(upload_id: int, pasted: str) -> bool:
    digest = hashlib.sha256(pasted.encode("utf-8", "replace")).hexdigest()
    return Upload.objects.filter(pk=upload_id, sha256=digest).exists()


def country_of(draft: Draft) -> str:
    """For numbers that are written without one."""
    return draft.country or draft.service.default_country


def choices_of(draft: Draft) -> ReadingChoices:
    """How its file is to be read; pasted numbers leave nothing to choose."""
    return ReadingChoices(**{name: getattr(draft, name) for name in NAMES}) if draft.upload else AS_SEEN


def begin_reading(draft: Draft, *, limits: Limits) -> AudienceVersion:
    """A version for what it holds now, which the background work reads; the reading of a file before it is cancelled."""
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if locked.version_id != draft.version_id:  # another request began it at the same moment
            draft.version = locked.version
            if (there := current_version(draft)) is not None:
                return there
        if locked.version_id:  # its rows are deleted by `background.delete_unused_versions`
            cancel(Preparation.objects.filter(version=locked.version_id))
        upload = draft.upload or Upload.keep(
            draft.pasted.encode("utf-8", "replace"), service=draft.service, name=PASTED, user=draft.created_by
        )
        version = new_version(draft, upload, limits=limits, pasted=draft.upload is None)
        Draft.objects.filter(pk=draft.pk).update(version=version)
    draft.version = version
    return version


def new_version(
    draft: Draft,
    upload: Upload,
    *,
    limits: Limits,
    pasted: bool = False,
    mends: AudienceVersion | None = None,
) -> AudienceVersion:
    """A version without rows, and the work of reading them; in the caller's transaction."""
    version = AudienceVersion.objects.create(
        service=draft.service,
        number=1,
        upload=upload,
        mends=mends,
        source=mends.source if mends else upload.name,
        country=country_of(draft),
        asked_column=draft.column if draft.upload else "",
        choices=choices_of(draft).as_json(),
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


def stored_audience(version: AudienceVersion) -> storage.StoredAudience:
    """The version's rows; raises NotReady until they are read, and ComposeError where they could not be."""
    if version.ready_at is not None:
        return storage.StoredAudience(version)
    preparation = Preparation.objects.get(version=version)
    if preparation.state == Preparation.State.FAILED:
        raise PreparationFailed(preparation)
    raise NotReady(preparation)


def first_stored_rows(version: AudienceVersion, most: int) -> tuple[list[Recipient], list[RejectedRow]]:
    """The first recipients and the first rejects, as far as they are known while it is read."""
    rows = version.chunks.order_by("place")
    good = [one for chunk in rows.filter(count__gt=0)[:1] for one in storage.recipients_of(chunk)]
    bad = [one for chunk in rows.filter(rejected__gt=0)[:3] for one in storage.rejects_of(chunk)]
    return good[:most], sorted(bad, key=lambda one: one.row)[:most]


def preparations_of(draft: Draft) -> list[Preparation]:
    found = Preparation.objects.filter(draft=draft) | Preparation.objects.filter(
        version__isnull=False, version=draft.version_id
    )
    return list(found.order_by("pk"))


def stop_preparing(draft: Draft) -> bool:
    """Cancel the work on its audience; False where nothing was under way. The draft stays as it is."""
    ids = [one.pk for one in preparations_of(draft) if one.is_waiting]
    return cancel(Preparation.objects.filter(pk__in=ids))


def cancel(rows: "QuerySet[Preparation]") -> bool:
    """Those of them that wait or are under way; a worker that has one finds its lease gone."""
    ended = {"owner": "", "leased_until": None, "ended_at": corrected_now()}
    waiting = rows.filter(state=Preparation.State.WAITING)
    return bool(waiting.update(state=Preparation.State.CANCELLED, **ended))


def resume_preparing(draft: Draft) -> bool:
    """Take up what was cancelled or failed, where it stopped; False where there is nothing."""
    over = (Preparation.State.CANCELLED, Preparation.State.FAILED)
    ids = [one.pk for one in preparations_of(draft) if one.state in over]
    return bool(Preparation.take_up(Preparation.objects.filter(pk__in=ids)))
