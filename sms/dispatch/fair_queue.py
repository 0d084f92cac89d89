"""Fair: whose message is next where several sends want the same room. Weighted fair queueing by send; the lane is the weight.

An urgent send gets 64 of 73 places beside a normal and a bulk one, and all of them where those have nothing to send; the others
keep their share, so that nothing starves. Pure; one per dispatcher.
"""

from collections.abc import Mapping

from sms.models import Lane

WEIGHTS: Mapping[int, float] = {Lane.URGENT: 64.0, Lane.NORMAL: 8.0, Lane.BULK: 1.0}


class FairQueue:
    """How much each send has had, in places divided by its weight."""

    def __init__(self) -> None:
        self._had: dict[int, float] = {}
        self._clock = 0.0

    def order(self, wants: Mapping[int, tuple[int, int]], *, room: int) -> list[int]:
        """Sends in the order in which up to `room` of their messages go; `wants` is lane and messages by send."""
        left = {send: count for send, (_, count) in wants.items() if count > 0}
        had = {send: max(self._had.get(send, 0.0), self._clock) for send in left}
        step = {send: 1.0 / WEIGHTS[wants[send][0]] for send in left}
        chosen: list[int] = []
        while left and len(chosen) < room:
            send = min(left, key=had.__getitem__)
            self._clock = had[send]
            had[send] += step[send]
            chosen.append(send)
            left[send] -= 1
            if not left[send]:
                del left[send]
        # a send that wants nothing now starts level with the others later: idling earns no credit
        self._had = had
        return chosen
