"""The figures of a draft: at once for a few rows, from a stored check for many, and the work on it that people can stop."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import msgspec
from django.db import transaction
from django.utils import timezone

from sms.audiences import storage
from sms.audiences.files import Limits, Recipient, RejectedRow, mendable_csv
from sms.compose import checks
from sms.compose.drafts.order import order_of
from sms.compose.drafts.rows import NotReady
from sms.compose.errors import ComposeError, Problem
from sms.compose.lines import Composer
from sms.compose.order import Order, is_large, quiet_hours_of, resolved, text_of
from sms.compose.survey import Survey
from sms.models import Draft, OptOut, Preparation

_survey = msgspec.msgpack.Decoder(Survey)


@dataclass(frozen=True, slots=True)
class DraftTotals:
    """A draft's order with its figures; None where the check has not come to its first end. Stale ones are of before an edit."""

    order: Order
    figures: Survey | None
    preparation: Preparation | None = None

    @property
    def stale(self) -> bool:
        """Whether other figures are on their way."""
        one = self.preparation
        return one is not None and one.result_digest != one.digest

    @property
    def opted_out_since(self) -> int:
        """People who refused since the rows were checked; whoever of them is in the audience gets nothing."""
        if self.preparation is None:
            return 0
        since = OptOut.objects.filter(
            service=self.order.service, pk__gt=self.preparation.cursor.get("opt_outs", 0)
        )
        return since.filter(lifted_at=None).count()


def totals_of(draft: Draft, *, limits: Limits) -> DraftTotals:
    """The figures as they are known, and a check of many rows asked for where they are not.

    Raises ComposeError exactly where making the send would, and NotReady while the audience is being read.
    """
    order = resolved(order_of(draft, limits=limits))
    if not is_large(order):
        return DraftTotals(order, checks.survey(order))
    checks.refuse(order, now=timezone.now())
    Composer(order)  # what no column fills is said before a single row is looked at
    found = _check(draft, digest_of(order), limits=limits)
    if found.state == Preparation.State.FAILED:
        raise ComposeError([Problem(found.trouble_field or "audience", found.trouble)])
    return DraftTotals(order, _survey.decode(bytes(found.result)) if found.result else None, found)


@dataclass(frozen=True, slots=True)
class EditingTotals:
    """All rows of a draft while somebody still writes: their figures, or the work that they wait for, or why there are none."""

    figures: Survey | None = None
    work: Preparation | None = None
    problems: Sequence[Problem] = ()


def totals_while_editing(draft: Draft, *, limits: Limits, ask: bool) -> EditingTotals:
    """What `totals_of` knows, without raising. Unless one is to `ask` for a check, only figures that are there already; it costs few queries."""
    try:
        looked = totals_of(draft, limits=limits) if ask else _there(draft, limits=limits)
    except NotReady as waiting:
        return EditingTotals(work=waiting.preparation)
    except ComposeError as problem:
        return EditingTotals(work=_broken_off(draft, problem), problems=problem.problems)
    if looked is None:
        return EditingTotals()
    return EditingTotals(None if looked.stale else looked.figures, looked.preparation)


def _broken_off(draft: Draft, problem: ComposeError) -> Preparation | None:
    """The check that this is said of, where it can go on."""
    failed = Preparation.objects.filter(draft=draft.pk, state=Preparation.State.FAILED, trouble_field="")
    return failed.filter(trouble=str(problem)).first() if draft.pk else None


def _there(draft: Draft, *, limits: Limits) -> DraftTotals | None:
    """Figures of a check of just this, if there was one."""
    found = Preparation.objects.filter(draft=draft.pk).first() if draft.pk else None
    if found is None:
        return None
    order = resolved(order_of(draft, limits=limits))
    if not is_large(order) or found.digest != digest_of(order):
        return None
    return DraftTotals(order, _survey.decode(bytes(found.result)) if found.result else None, found)


def _check(draft: Draft, digest: str, *, limits: Limits) -> Preparation:
    """The check of just this; another one is begun where the draft was changed, or an opted-out person came back."""
    if (there := Preparation.objects.filter(draft=draft, digest=digest).first()) is not None:
        return there  # pages look every second: none of them locks the draft for it
    with transaction.atomic():
        Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        found, _ = Preparation.objects.get_or_create(
            draft=draft, defaults={"kind": Preparation.Kind.CHECK, "service": draft.service}
        )
        if found.digest != digest:
            _begin(found, digest=digest, limits=limits)
    return found


def _begin(found: Preparation, *, digest: str, limits: Limits) -> None:
    """Whoever is at the check of before finds the lease gone."""
    found.digest, found.cursor, found.partial = digest, {"limits": asdict(limits)}, b""
    found.state, found.owner, found.leased_until = Preparation.State.WAITING, "", None
    found.rows = found.done = found.total = found.tries = 0
    found.trouble = found.trouble_field = ""
    found.began_at = found.ended_at = None
    found.save()


def digest_of(order: Order) -> str:
    """Of everything that its figures rest on but opt-outs, which are looked up again when messages are written."""
    service, sender, template = order.service, order.sender, order.template
    rests_on = (
        order.saved.pk if order.saved else None,
        text_of(order),
        order.version.pk if order.version else None,
        (template.pk, template.provider_placeholders) if template else None,
        {name: asdict(one) for name, one in sorted(order.placeholder_sources.items())},
        (sender.pk, sender.kind, sender.address, sender.countries, sender.registration) if sender else None,
        str(order.link_domain or ""),
        order.ramp,
        quiet_hours_of(order),
        (service.text_limit, service.batch_size, service.time_zone),
    )
    return hashlib.sha256(json.dumps(rests_on, default=str).encode()).hexdigest()


def rejects_csv(draft: Draft, *, limits: Limits) -> Iterator[str]:
    """Every row that gets no message with its reason and all that stood in it, to be put right and given to `mend`; lines."""
    order = order_of(draft, limits=limits)

    def cells(bad: RejectedRow, one: Recipient | None) -> Sequence[str]:
        return storage.cells_of(one, order.audience) if one is not None else bad.cells or _alone(bad, order)

    rows = ((bad, cells(bad, one)) for bad, one in _rejects(order))
    return mendable_csv(order.audience.headings, rows)


def _rejects(order: Order) -> Iterator[tuple[RejectedRow, Recipient | None]]:
    try:
        return checks.rejects_of(order)
    except (
        ComposeError
    ):  # nothing fills a placeholder yet; rows that could not be read are known all the same
        return ((bad, None) for block in order.audience.blocks() for bad in block.rejects)


def _alone(bad: RejectedRow, order: Order) -> list[str]:
    """A row that could not be cut into cells: all of it where the number belongs."""
    return [bad.value if name == order.audience.column else "" for name in order.audience.headings]


def preparations_of(draft: Draft) -> list[Preparation]:
    """Reading and checking of this draft, whatever became of them."""
    found = Preparation.objects.filter(draft=draft) | Preparation.objects.filter(
        version__isnull=False, version=draft.version_id
    )
    return list(found.order_by("pk"))


def stop(draft: Draft) -> bool:
    """Work on its audience no more; False where nothing was under way. The draft stays as it is."""
    ids = [one.pk for one in preparations_of(draft) if one.is_waiting]
    waiting = Preparation.objects.filter(pk__in=ids, state=Preparation.State.WAITING)
    over = {"state": Preparation.State.CANCELLED, "owner": "", "leased_until": None}
    return bool(waiting.update(**over, ended_at=timezone.now()))


def resume(draft: Draft) -> bool:
    """Take up what was cancelled or failed, where it stopped; False where there is nothing."""
    ids = [
        one.pk
        for one in preparations_of(draft)
        if one.state in (Preparation.State.CANCELLED, Preparation.State.FAILED)
    ]
    again = Preparation.objects.filter(pk__in=ids)
    return bool(Preparation.take_up(again))
