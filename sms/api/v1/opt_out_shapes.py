"""What partners get of opt-outs; numbers are masked."""

from typing import Any

from rest_framework import serializers

from sms.api.v1.sparse import Number, SparseModel
from sms.models import OptOut


class OptOutShape(SparseModel):
    """A person's refusal. It is in force while `lifted_at` is null."""

    number = Number(source="msisdn")
    source = serializers.ChoiceField(choices=OptOut.Source.values)  # type: ignore[assignment]

    class Meta:
        model = OptOut
        fields = (*("id", "number", "source", "evidence", "send", "at", "lifted_at", "lifted_because"),)


class OptedOutShape(serializers.Serializer[Any]):
    """What recording refusals did."""

    added = serializers.IntegerField()
    already = serializers.IntegerField(help_text="Were opted out before.")


class LiftedShape(serializers.Serializer[Any]):
    """What lifting refusals did."""

    lifted = serializers.IntegerField()
