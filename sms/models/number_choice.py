"""Which kinds of numbers a send leaves out: flags in one small column, names wherever people or programs write them."""

from django.utils.translation import gettext_lazy as _

from sms.models.flags_field import FlagsField
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind


class LeaveOutField(FlagsField):
    """`NumberKind`s; takes names, too. None at all: every number gets a message."""

    flags, every = NumberKind, DOUBTFUL
    unknown = _("“%(name)s” is no kind of number. Choose from %(names)s.")
