"""Which kinds of numbers a send leaves out: flags in one small column, names wherever people or programs write them."""

from sms.models.flags_field import FlagsField
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind


class LeaveOutField(FlagsField):
    """`NumberKind`s; takes names, too. None at all: every number gets a message."""

    flags, every, noun = NumberKind, DOUBTFUL, "kind of number"
