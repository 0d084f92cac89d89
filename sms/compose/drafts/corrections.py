"""Rejected rows of a draft: downloaded, put right, and joined again with the rows that are kept."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from sms.audiences import storage
from sms.audiences.files import Limits, Recipient, RejectedRow, mendable_csv
from sms.compose import checks
from sms.compose.drafts.order import order_of_draft
from sms.compose.drafts.versions import begin_reading, current_version, new_version, stored_audience
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.compose.resolved_order import resolve
from sms.models import AudienceVersion, Draft, Preparation, Upload
from sms.values.problems import Problem, ProblemCode


def draft_rejects_csv(draft: Draft, *, limits: Limits) -> Iterator[str]:
    """Lines: every row that gets no message, with its reason and all its cells, to be put right and given to `add_corrections`."""
    order = resolve(order_of_draft(draft, limits=limits))

    def cells(bad: RejectedRow, one: Recipient | None) -> Sequence[str]:
        return storage.cells_of(one, order.audience) if one is not None else bad.cells or _alone(bad, order)

    rows = ((bad, cells(bad, one)) for bad, one in checks.rejects_of(order))
    return mendable_csv(order.audience.headings, rows)


def _alone(bad: RejectedRow, order: Order) -> list[str]:
    """A row that could not be cut into cells: all of it where the number belongs."""
    return [bad.value if name == order.audience.column else "" for name in order.audience.headings]


def base_of_corrections(draft: Draft, *, limits: Limits) -> AudienceVersion:
    """The version that corrections are joined with; few rows, too, are read into one for it. Raises NotReady until they are read."""
    if draft.audience is not None:
        says = "A saved audience is replaced on its own page."
        raise ComposeError([Problem(ProblemCode.INVALID, "file", says)])
    base = current_version(draft)
    if base is None:
        base = begin_reading(draft, limits=limits)
    stored_audience(base)  # raises where it is not read
    return base


def add_corrections(draft: Draft, file: bytes, *, name: str, limits: Limits, user: Any) -> Preparation:
    """Rejects that were put right join the rows that are kept; raises ComposeError where there is nothing to correct.

    The rows that the file does not name stay as they are, kept or rejected. It may be done as often as needed.
    """
    base = base_of_corrections(draft, limits=limits)
    with transaction.atomic():
        upload = Upload.keep(file, service=draft.service, name=name, user=user)
        version = new_version(draft, upload, limits=limits, mends=base)
        if not Draft.objects.filter(pk=draft.pk, version=base).update(version=version):
            says = "The audience was changed while you corrected it. Check it again."
            raise ComposeError([Problem(ProblemCode.CHANGED, "file", says)])
        if user is not None:
            draft.editors.add(user)  # whom it goes to is a part of it
    draft.version = version
    return version.preparation
