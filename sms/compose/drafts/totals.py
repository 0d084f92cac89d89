"""The figures of a draft: at once for a few rows, from a stored check for many."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec
from django.db import transaction

from sms.audiences.files import Limits
from sms.compose import checks, spending
from sms.compose.drafts.order import order_of_draft
from sms.compose.drafts.versions import NotReady, PreparationFailed
from sms.compose.errors import ComposeError
from sms.compose.order import is_large
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import Survey
from sms.models import Draft, OptOut, Preparation
from sms.models.sql.clock import corrected_now
from sms.values.problems import Problem

_survey = msgspec.msgpack.Decoder(Survey)


@dataclass(frozen=True, slots=True)
class DraftTotals:
    """A draft's order with its figures; None until a check has ended once. Stale ones are of before an edit."""

    order: ResolvedOrder
    figures: Survey | None
    preparation: Preparation | None = None

    @property
    def stale(self) -> bool:
        """Whether other figures are on their way."""
        one = self.preparation
        return one is not None and one.result_digest != one.digest

    @property
    def opted_out_since(self) -> int:
        """Opt-outs since the rows were checked; those of them in the audience get nothing."""
        if self.preparation is None:
            return 0
        since = OptOut.objects.filter(
            service=self.order.service, pk__gt=self.preparation.cursor.get("opt_outs", 0)
        )
        return since.filter(lifted_at=None).count()


def totals_of(draft: Draft, *, limits: Limits) -> DraftTotals:
    """The figures as they are known; a check of many rows is asked for where they are not.

    Raises ComposeError exactly where making the send would, and NotReady while the audience is being read.
    """
    order = resolve(order_of_draft(draft, limits=limits))
    if not is_large(order):
        return DraftTotals(order, checks.survey(order))
    checks.refuse(order, now=corrected_now())  # before any row is read
    found = _check(draft, check_digest(order), limits=limits)
    if found.state == Preparation.State.FAILED:
        raise PreparationFailed(found)
    if (figures := _figures_of(found)) is not None:
        spending.refuse(order, spending.of_figures(order, figures), now=corrected_now())
    return DraftTotals(order, figures, found)


@dataclass(frozen=True, slots=True)
class EditingTotals:
    """The figures of a draft's rows while it is being written, or the work that they wait for, or why there are none."""

    figures: Survey | None = None
    work: Preparation | None = None
    problems: Sequence[Problem] = ()


def totals_while_editing(draft: Draft, *, limits: Limits, ask: bool) -> EditingTotals:
    """What `totals_of` knows, without raising. Unless it is to `ask` for a check, only figures that are there already; few queries."""
    try:
        totals = totals_of(draft, limits=limits) if ask else _known(draft, limits=limits)
    except NotReady as waiting:
        return EditingTotals(work=waiting.preparation)
    except PreparationFailed as failed:
        check = failed.preparation
        can_go_on = check.kind == Preparation.Kind.CHECK and check.can_go_on  # reading has buttons of its own
        return EditingTotals(work=check if can_go_on else None, problems=failed.problems)
    except ComposeError as problem:
        return EditingTotals(problems=problem.problems)
    if totals is None:
        return EditingTotals()
    return EditingTotals(None if totals.stale else totals.figures, totals.preparation)


def _known(draft: Draft, *, limits: Limits) -> DraftTotals | None:
    """The figures of a check of exactly this order, if there was one."""
    found = Preparation.objects.filter(draft=draft.pk).first() if draft.pk else None
    if found is None:
        return None
    order = resolve(order_of_draft(draft, limits=limits))
    if not is_large(order) or found.digest != check_digest(order):
        return None
    return DraftTotals(order, _figures_of(found), found)


def _figures_of(check: Preparation) -> Survey | None:
    return _survey.decode(bytes(check.result)) if check.result else None


def _check(draft: Draft, digest: str, *, limits: Limits) -> Preparation:
    """The check of exactly this order, begun where there is none."""
    if (there := Preparation.objects.filter(draft=draft, digest=digest).first()) is not None:
        return there  # pages poll every second, and must not lock the draft for it
    with transaction.atomic():
        Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        found, _ = Preparation.objects.get_or_create(
            draft=draft, defaults={"kind": Preparation.Kind.CHECK, "service": draft.service}
        )
        if found.digest != digest:
            _begin(found, digest=digest, limits=limits)
    return found


def _begin(found: Preparation, *, digest: str, limits: Limits) -> None:
    """A worker that still has the check before this one finds its lease gone."""
    found.digest, found.cursor, found.partial = digest, {"limits": asdict(limits)}, b""
    found.state, found.owner, found.leased_until = Preparation.State.WAITING, "", None
    found.rows = found.done = found.total = found.tries = 0
    found.trouble = found.trouble_code = found.trouble_field = ""
    found.began_at = found.ended_at = None
    found.save()


def check_digest(order: ResolvedOrder) -> str:
    """Of everything that the figures depend on but opt-outs, which are looked up again when messages are written."""
    service, sender, template = order.service, order.sender, order.template
    depends_on = (
        order.saved.pk if order.saved else None,
        order.text,
        (template.pk, order.version.pk if order.version else None) if template else None,
        [asdict(one) for one in order.placeholders],
        (sender.pk, sender.kind, sender.address, sender.countries, sender.registration) if sender else None,
        order.link_host,
        order.options.ramp,
        int(order.options.leave_out),
        (order.quiet_hours, order.zone_heading),
        (service.text_limit, service.length_unit, service.batch_size, service.time_zone),
    )
    return hashlib.sha256(json.dumps(depends_on, default=str).encode()).hexdigest()
