"""How many POSTs go to one endpoint at once: more while it takes them as fast as before, half as many when it is overloaded. Pure.

It begins with FIRST and doubles in each round of answers until the first sign of trouble; afterwards it grows by one a round. Trouble is an
answer of OVERLOADED (0: none came), or answers that take twice as long as the quickest round did: then more at once only stand in line.
"""

FIRST = 4
WIDEST = 64
ROUND = 4  # answers at least that are compared with those of other rounds
OVERLOADED = frozenset((0, 408, 429, 502, 503, 504))
SLACK = 50.0  # milliseconds by which answers may differ without a reason
ENOUGH = 5000.0  # milliseconds: half of a POST's deadline, so no more at once


class Width:
    """`most` is less than WIDEST for a host that never proved that it wants what it gets."""

    def __init__(self, now: int = FIRST, *, most: int = WIDEST) -> None:
        self._most = most
        self.now = max(1, min(now, most))
        self._doubles = self.now <= FIRST
        self._quickest = float("inf")  # milliseconds of the quickest round
        self._since = float("-inf")
        self._milliseconds = self._answers = 0

    def answered(self, status: int, milliseconds: int, *, began: float, at: float, more: bool) -> None:
        """One answer to a POST that began at `began`. `more`: others stood in line, so that the width was what limited us."""
        if began < self._since:
            return  # from before it was made smaller
        if status in OVERLOADED:
            self._make_smaller(at)
            return
        if not more or not 200 <= status < 300:
            return  # says nothing about how many it could take
        self._milliseconds += milliseconds
        self._answers += 1
        if self._answers >= max(self.now, ROUND):
            self._end_round(self._milliseconds / self._answers, at)

    def _end_round(self, mean: float, at: float) -> None:
        self._milliseconds = self._answers = 0
        # so few do not stand in each other's way: what they take is the receiver's own pace, also where that has changed
        self._quickest = mean if self.now <= 2 else min(self._quickest, mean)
        if mean > 2 * self._quickest + SLACK:
            self._make_smaller(at)
        elif mean < ENOUGH:
            self.now = min(self.now * 2 if self._doubles else self.now + 1, self._most)

    def _make_smaller(self, at: float) -> None:
        self.now = max(self.now // 2, 1)
        self._doubles = False
        self._since = at
        self._milliseconds = self._answers = 0
