"""Notices about waiting changes, to all admins of the service and to superusers: that one waits, and what became of it.

Who asked is told as well, in case it was not they. A notice is stored, so every line of it is English until it is `retold`.
"""

from datetime import datetime

from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from sms import notices
from sms.models import ChangeState, NoticeKind, WaitingChange
from sms.words import KeptSentence

LINE = KeptSentence(_("- %(name)s: from %(before)s to %(after)s"))
WAITS = KeptSentence(_("“%(title)s” waits for a second admin."))
ASKS = KeptSentence(
    _(
        "%(person)s asks for it. While approval is on, it waits. Another admin confirms or declines it. "
        "Without an answer, it takes effect automatically at %(time)s UTC."
    )
)
ENDED = {
    ChangeState.CONFIRMED: KeptSentence(_("“%(title)s”: confirmed.")),
    ChangeState.ELAPSED: KeptSentence(_("“%(title)s”: in effect after its time.")),
    ChangeState.AT_ONCE: KeptSentence(_("“%(title)s”: in effect at once, by an operator of the host.")),
    ChangeState.DECLINED: KeptSentence(_("“%(title)s”: declined.")),
    ChangeState.VOID: KeptSentence(_("“%(title)s”: void.")),
}
# Translators: state is such as “Confirmed” or “Declined”, name is who did it
ASKED_AND_WHY = KeptSentence(_("%(person)s asked for it. %(state)s (%(name)s). Reason: %(reason)s"))
# Translators: state is such as “Confirmed” or “Declined”, name is who did it
ASKED = KeptSentence(_("%(person)s asked for it. %(state)s (%(name)s)."))


def tell(one: WaitingChange, *, now: datetime) -> None:
    """In the transaction that asks for it or ends it."""
    state = ChangeState(one.state)
    lines = "\n".join(LINE(**line) for line in one.says)
    if state == ChangeState.WAITING:
        says = WAITS(title=one.title)
        ends = ASKS(person=one.asked_label, time=f"{one.takes_effect_at:%-d %B %Y, %H:%M}")
    else:
        notices.no_longer(_event(one, ChangeState.WAITING), now=now)
        says = ENDED[state](title=one.title)
        with override(None):
            facts = {"person": one.asked_label, "state": str(state.label), "name": one.ended_by}
        ends = ASKED_AND_WHY(**facts, reason=one.because) if one.because else ASKED(**facts)
    admins = notices.holding(one.service, "admin") if one.service is not None else set()
    notices.tell(
        NoticeKind.CHANGE_WAITS,
        admins | notices.superusers(),
        event=_event(one, state),
        says=says,
        more=f"{lines}\n\n{ends}",
        service=one.service,
        page="waiting_changes" if one.service is not None else "",
        now=now,
    )


def _event(one: WaitingChange, state: ChangeState) -> str:
    return f"change:{one.pk}:{state.value}"
