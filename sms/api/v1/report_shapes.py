"""What partners get of reports."""

from rest_framework import serializers

from sms.api.v1.sparse import Sparse
from sms.models import SendState


class FiguresShape(Sparse):
    """Messages and their outcomes. `coverage` is the share of posted messages whose end is known; null if none was posted."""

    recipients = serializers.IntegerField()
    posted = serializers.IntegerField()
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    no_report = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    coverage = serializers.FloatField(allow_null=True, min_value=0, max_value=1)


class SendFigures(FiguresShape):
    """The figures of one send."""

    send = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=SendState.values)
    send_at = serializers.DateTimeField()


class DayFigures(FiguresShape):
    """The figures of the messages of one day, in UTC."""

    day = serializers.DateField()
