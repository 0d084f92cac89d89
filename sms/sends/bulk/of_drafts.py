"""What can be done with several drafts: discard them, label them."""

from collections.abc import Iterator, Sequence

from sms.compose import labels
from sms.compose.drafts import collaboration, presence
from sms.compose.drafts.discard import DraftOpen, discard
from sms.models import Actor, Draft
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.bulk.row import RowOutlook

SENT = "It was sent in the meantime."


def would_discard(drafts: Sequence[Draft], _given: str) -> Iterator[RowOutlook]:
    busy = presence.present_in(drafts, now=corrected_now())
    for draft in drafts:
        if draft.send_id:
            does, says = False, SENT
        elif who := busy.get(draft.pk):
            does, says = True, f"It is deleted for good, unless a colleague still has it open: {who} has now."
        else:
            does, says = True, "It is deleted for good."
        yield RowOutlook(draft.pk, draft.title, does, says, draft)


def discard_one(draft: Draft, _given: str, *, by: Actor) -> tuple[bool, str]:
    try:
        gone = discard(draft, by=by, now=corrected_now())
    except DraftOpen as problem:
        return False, str(problem)
    return gone, "Discarded." if gone else "It was sent or discarded in the meantime."


def would_label(drafts: Sequence[Draft], given: str) -> Iterator[RowOutlook]:
    words = labels.normalized_set(labels.split(given))
    for draft in drafts:
        after = _after(draft, words)
        if draft.send_id:
            does, says = False, SENT
        elif after is None:
            does, says = (
                False,
                "A label of it cannot be kept as it is written. Correct it in the draft first.",
            )
        elif len(after) > labels.MOST:
            does, says = False, f"It would have {len(after)} labels; a send takes {labels.MOST}."
        elif not (new := [word for word in after if word not in _has(draft)]):
            does, says = (
                False,
                "It has this label already." if len(words) == 1 else "It has these labels already.",
            )
        else:
            does, says = True, f"Gets {', '.join(new)}. Who changes a draft cannot approve what it becomes."
        yield RowOutlook(draft.pk, draft.title, does, says, draft)


def label_one(draft: Draft, given: str, *, by: Actor) -> tuple[bool, str]:
    """As if it was typed on the compose page."""
    base = collaboration.fingerprints(draft)
    after, before = _after(draft, labels.normalized_set(labels.split(given))), _has(draft)
    if after is None or len(after) > labels.MOST:
        return False, "Its labels were changed in the meantime."
    new = [word for word in after if word not in before]
    if not new:
        return False, "It had the labels already."
    draft.labels = ", ".join(after)
    try:
        kept = collaboration.save(draft, base=base, user=by.user)
    except collaboration.DraftSent:
        return False, SENT
    if not kept.changed:
        return False, "A colleague changed its labels at the same moment."
    audit("draft.labelled", draft, by=by, labels=new)
    return True, f"Got {', '.join(new)}."


def _has(draft: Draft) -> set[str]:
    try:
        return set(labels.normalized_set(labels.split(draft.labels)))
    except labels.BadLabel:
        return set()


def _after(draft: Draft, words: Sequence[str]) -> tuple[str, ...] | None:
    try:
        return labels.normalized_set([*labels.split(draft.labels), *words])
    except labels.BadLabel:
        return None
