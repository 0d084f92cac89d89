"""Rejected rows of a draft: downloaded, put right, and joined again with the rows that are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.audiences.files import Limits, Recipient, RejectedRow, mendable_csv, with_corrections
from sms.audiences.files.rows import Rows
from sms.compose import checks
from sms.compose.drafts import collaboration
from sms.compose.drafts.order import order_of_draft
from sms.compose.drafts.versions import begin_reading, current_version, new_version, stored_audience
from sms.compose.errors import ComposeError
from sms.compose.resolved_order import resolve
from sms.models import AudienceVersion, Draft, Preparation, Upload
from sms.values.problems import Problem, ProblemCode


@dataclass(frozen=True, slots=True)
class CorrectedCell:
    """What a person wrote over the cell of a rejected row, and what they saw there."""

    before: str
    after: str


Corrections = Mapping[int, Mapping[int, CorrectedCell]]
"""By row, and by the place of the heading."""


def draft_rejects_csv(draft: Draft, *, limits: Limits) -> Iterator[str]:
    """Lines: every row that gets no message, with its reason and all its cells, to be put right and given to `add_corrections`."""
    order = resolve(order_of_draft(draft, limits=limits))
    rows = ((bad, cells_of_reject(bad, one, order.audience)) for bad, one in checks.rejects_of(order))
    return mendable_csv(order.audience.headings, rows)


def cells_of_reject(bad: RejectedRow, one: Recipient | None, audience: Rows) -> Sequence[str]:
    """What stands in its row, in the order of the headings. `one`: the recipient that it was, where it could be read at all."""
    if one is not None:
        return storage.cells_of(one, audience)
    # a row that could not be cut into cells: all of it where the number belongs
    return bad.cells or [bad.value if name == audience.column else "" for name in audience.headings]


def corrected_csv(draft: Draft, corrections: Corrections, *, limits: Limits) -> str:
    """The corrected rows as `add_corrections` takes them. Raises ComposeError where a cell is not what the person saw any more."""
    order = resolve(order_of_draft(draft, limits=limits))
    left, rows = dict(corrections), list[tuple[RejectedRow, Sequence[str]]]()
    for bad, one in checks.rejects_of(order):
        if (changed := left.get(bad.row)) is None:
            continue
        cells = list(cells_of_reject(bad, one, order.audience))
        if any(at >= len(cells) or cells[at] != cell.before for at, cell in changed.items()):
            break
        for at, cell in changed.items():
            cells[at] = cell.after
        rows.append((bad, cells))
        del left[bad.row]
        if not left:
            return "".join(mendable_csv(order.audience.headings, rows))
    says = _("Row %(row)s was changed while you corrected it. Look at it and correct it again.") % {
        "row": min(left)
    }
    raise ComposeError([Problem(ProblemCode.CHANGED, "audience", says)])


def correct_pasted(draft: Draft, corrections: Corrections, *, user: Any) -> bool:
    """Numbers of a pasted list are corrected where they were pasted; False where the rows are a table, a file or put right already."""
    if draft.upload is not None or draft.audience is not None or draft.version is not None:
        return False
    numbers = {row: cell.after for row, cells in corrections.items() for cell in cells.values()}
    text = with_corrections(draft.pasted, numbers)
    if text is None:
        return False
    draft.pasted = text
    collaboration.save(draft, base={}, user=user)
    return True


def base_of_corrections(draft: Draft, *, limits: Limits) -> AudienceVersion:
    """The version that corrections are joined with; few rows, too, are read into one for it. Raises NotReady until they are read."""
    if draft.audience is not None:
        says = _("A saved audience is replaced on its own page.")
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
            says = _("The audience was changed while you corrected it. Check it again.")
            raise ComposeError([Problem(ProblemCode.CHANGED, "file", says)])
        if user is not None:
            draft.editors.add(user)  # whom it goes to is a part of it
    draft.version = version
    return version.preparation
