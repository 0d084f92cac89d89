"""Notices about waiting changes, to all admins of the service and to superusers: that one waits, and what became of it.

Who asked is told as well, in case it was not they.
"""

from datetime import datetime

from sms import notices
from sms.models import ChangeState, NoticeKind, WaitingChange


def tell(one: WaitingChange, *, now: datetime) -> None:
    """In the transaction that asks for it or ends it."""
    state = ChangeState(one.state)
    lines = "\n".join(f"- {line['name']}: from {line['before']} to {line['after']}" for line in one.says)
    if state == ChangeState.WAITING:
        says = f"“{one.title}” waits for a second admin."
        ends = (
            f"{one.asked_label} asks for it. While approval is on, it waits. Another admin confirms or declines it. "
            f"Without an answer, it takes effect automatically at {one.takes_effect_at:%-d %B %Y, %H:%M} UTC."
        )
    else:
        notices.no_longer(_event(one, ChangeState.WAITING), now=now)
        says = f"“{one.title}”: {state.label.lower()}."
        why = f" Reason: {one.because}" if one.because else ""
        ends = f"{one.asked_label} asked for it. {state.label} ({one.ended_by}).{why}"
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
