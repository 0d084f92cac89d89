"""What can be done with several drafts: discard them, label them."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext, gettext_noop, ngettext

from sms.compose import labels
from sms.compose.drafts import collaboration, presence
from sms.compose.drafts.discard import DraftOpen, discard
from sms.models import Actor, Draft
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.bulk.row import GOT_LABELS, HAD_LABELS, HAS_LABEL, HAS_LABELS, TOO_MANY_LABELS, RowOutlook

# what became of one, as it is kept
SENT = gettext_noop("It was sent in the meantime.")
DISCARDED = gettext_noop("Discarded.")
GONE = gettext_noop("It was sent or discarded in the meantime.")
BAD_LABEL = gettext_noop("A label of it cannot be kept as it is written. Correct it in the draft first.")
CHANGED = gettext_noop("Its labels were changed in the meantime.")
CHANGED_NOW = gettext_noop("A colleague changed its labels at the same moment.")


def would_discard(drafts: Sequence[Draft], _given: str) -> Iterator[RowOutlook]:
    busy = presence.present_in(drafts, now=corrected_now())
    for draft in drafts:
        if draft.send_id:
            does, says = False, SENT
        elif who := busy.get(draft.pk):
            stays = gettext("It stays where a colleague still has it open: %(name)s has now.") % {"name": who}
            does, says = True, f"{_kept()} {stays}"
        else:
            does, says = True, _kept()
        yield RowOutlook(draft.pk, draft.title, does, says, draft)


def _kept() -> str:
    days = Draft.BROUGHT_BACK_FOR
    says = ngettext(
        "You can bring it back for %(n)s day, under Drafts.",
        "You can bring it back for %(n)s days, under Drafts.",
        days,
    )
    return says % {"n": days}


def discard_one(draft: Draft, _given: str, *, by: Actor) -> tuple[bool, str]:
    try:
        gone = discard(draft, by=by, now=corrected_now())
    except DraftOpen as problem:
        return False, str(problem)
    return gone, DISCARDED if gone else GONE


def would_label(drafts: Sequence[Draft], given: str) -> Iterator[RowOutlook]:
    words = labels.normalized_set(labels.split(given))
    for draft in drafts:
        after = _after(draft, words)
        if draft.send_id:
            does, says = False, SENT
        elif after is None:
            does, says = False, BAD_LABEL
        elif len(after) > labels.MOST:
            does, says = False, TOO_MANY_LABELS(labels=len(after), most=labels.MOST)
        elif not (new := [word for word in after if word not in _has(draft)]):
            does, says = False, HAS_LABEL if len(words) == 1 else HAS_LABELS
        else:
            gets = gettext("Gets %(labels)s. Who changes a draft cannot approve what it becomes.")
            does, says = True, gets % {"labels": ", ".join(new)}
        yield RowOutlook(draft.pk, draft.title, does, says, draft)


def label_one(draft: Draft, given: str, *, by: Actor) -> tuple[bool, str]:
    """As if it was typed on the compose page."""
    base = collaboration.fingerprints(draft)
    after, before = _after(draft, labels.normalized_set(labels.split(given))), _has(draft)
    if after is None or len(after) > labels.MOST:
        return False, CHANGED
    new = [word for word in after if word not in before]
    if not new:
        return False, HAD_LABELS
    draft.labels = ", ".join(after)
    try:
        kept = collaboration.save(draft, base=base, user=by.user)
    except collaboration.DraftSent:
        return False, SENT
    if not kept.changed:
        return False, CHANGED_NOW
    audit("draft.labelled", draft, by=by, labels=new)
    return True, GOT_LABELS(labels=", ".join(new))


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
