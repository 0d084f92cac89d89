"""The send that a draft makes, once."""

from django.db import transaction
from django.utils.translation import gettext as _

from sms.audiences.files import Limits
from sms.compose import comments
from sms.compose.create import create
from sms.compose.drafts.remembered_columns import remember_columns
from sms.compose.drafts.repeats import repeat_key, repeat_warning, sent_before
from sms.compose.drafts.totals import totals_of
from sms.compose.drafts.versions import NotReady
from sms.compose.errors import ComposeError
from sms.models import Actor, Draft, Preparation, Send
from sms.values.problems import Problem, ProblemCode


def send_draft(
    draft: Draft, *, by: Actor, limits: Limits, again: bool = False, seen: int | None = None
) -> Send:
    """Make the send, once: a second press of the button finds the first one's send.

    `seen` is the revision of the draft that the person was shown: what a colleague changed since is not sent unseen. Raises NotReady
    while its rows are being read or checked, and ComposeError naming `again` where a person has to confirm: the draft was changed, or
    the same was sent before (`again` says that it is meant).
    """
    sent = Draft.objects.filter(pk=draft.pk, send__isnull=False).select_related("send").first()
    if sent is not None and sent.send is not None:
        return sent.send
    totals = totals_of(draft, limits=limits)
    if totals.figures is None or totals.stale:
        assert totals.preparation is not None, "figures of a small draft are there at once"
        raise NotReady(totals.preparation)
    confirmed = again or draft.again == repeat_key(totals.order)
    if not confirmed and (before := sent_before(totals.order)):
        raise ComposeError([Problem(ProblemCode.ALREADY_SENT, "again", repeat_warning(before))])
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if locked.send is not None:
            return locked.send
        if locked.discarded_at is not None:
            says = _("This draft was discarded. Bring it back under Drafts, then send it.")
            raise ComposeError([Problem(ProblemCode.CHANGED, "again", says)])
        if locked.recurs_since is not None:
            says = _("This draft is sent again and again by now. Open the recurring send instead.")
            raise ComposeError([Problem(ProblemCode.CHANGED, "again", says)])
        if locked.revision != draft.revision or seen not in (None, locked.revision):
            says = _("The draft was changed since this page was shown. Look again, then send it.")
            raise ComposeError([Problem(ProblemCode.CHANGED, "again", says)])
        send = create(totals.order, by=by, figures=totals.figures)
        locked.send = send
        locked.save(update_fields=["send", "changed_at"])
        comments.to_send(locked, send)
        Preparation.objects.filter(draft=locked).delete()
    remember_columns(draft, limits=limits)
    return send
