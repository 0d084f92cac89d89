"""The shape of a plan in the API: what `sms.sends.plan.as_json` answers."""

from typing import Any

from rest_framework import serializers


class RemovedShape(serializers.Serializer[Any]):
    """Rows left out for one reason; `rows` names the first hundred."""

    code = serializers.CharField()
    reason = serializers.CharField(help_text="Of the first row.")
    count = serializers.IntegerField()
    rows = serializers.ListField(child=serializers.IntegerField())


class EncodingsShape(serializers.Serializer[Any]):
    """Messages by encoding; unknown where the provider's template makes the text."""

    gsm7 = serializers.IntegerField()
    ucs2 = serializers.IntegerField()
    unknown = serializers.IntegerField()


class SegmentsShape(serializers.Serializer[Any]):
    """Segments per message, and of all; null where the provider's template makes the text."""

    worst = serializers.IntegerField(allow_null=True)
    typical = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)


class RangeShape(serializers.Serializer[Any]):
    """Segments of all, from the fewest to the most: shortened links and templates change the length."""

    least = serializers.IntegerField()
    most = serializers.IntegerField()


class CountryShape(serializers.Serializer[Any]):
    """What goes to one country, and its cost; null where it has no price."""

    country = serializers.CharField(help_text="ISO 3166; empty for numbers of no country.")
    recipients = serializers.IntegerField()
    least = serializers.IntegerField()
    most = serializers.IntegerField()
    price = serializers.CharField(allow_null=True, help_text="Of a segment, as a decimal.")
    currency = serializers.CharField()
    cost_least = serializers.CharField(allow_null=True)
    cost_most = serializers.CharField(allow_null=True)


class MoneyShape(serializers.Serializer[Any]):
    """From the least to the most, in one currency."""

    currency = serializers.CharField()
    least = serializers.CharField()
    most = serializers.CharField()


class CostShape(serializers.Serializer[Any]):
    """The sum by currency, of the countries that have a price."""

    entered = serializers.BooleanField(help_text="Whether the service has any price.")
    sums = MoneyShape(many=True)
    unpriced = serializers.IntegerField(help_text="Recipients in countries without a price.")
    says = serializers.CharField()


class PolicyShape(serializers.Serializer[Any]):
    """What Webex Connect checks at each message."""

    group = serializers.CharField()
    check_consent = serializers.BooleanField()
    apply_frequency_cap = serializers.BooleanField()
    says = serializers.CharField()


class ReleasedShape(serializers.Serializer[Any]):
    """Messages that may go at one moment."""

    at = serializers.DateTimeField()
    messages = serializers.IntegerField()


class DeferredShape(serializers.Serializer[Any]):
    """Put off by quiet hours: how many, and until when (the first forty moments)."""

    quiet_hours = serializers.CharField()
    messages = serializers.IntegerField()
    until = ReleasedShape(many=True)


class DoubtShape(serializers.Serializer[Any]):
    """A row that is kept with a doubt."""

    row = serializers.IntegerField()
    detail = serializers.CharField()


class CautionShape(serializers.Serializer[Any]):
    """What a careful colleague would say."""

    code = serializers.CharField()
    text = serializers.CharField()


class AskingShape(serializers.Serializer[Any]):
    """A rule of the service that asks for approval."""

    rule = serializers.ChoiceField(
        choices=["size", "new_sender", "new_domain", "new_country", "outside_hours"]
    )
    approvers = serializers.IntegerField()
    says = serializers.CharField()


class PlannedApprovalShape(serializers.Serializer[Any]):
    """How many people must approve before anything is posted, and which rules ask for it."""

    approvers = serializers.IntegerField(help_text="0: it goes without asking.")
    rules = AskingShape(many=True)
    eligible = serializers.IntegerField(help_text="People who could approve now.")
    says = serializers.CharField(help_text="What to do where they are too few; empty otherwise.")


class PlanShape(serializers.Serializer[Any]):
    """What would happen, in the figures that the page before the button shows. Null stands for what cannot be known."""

    made_at = serializers.DateTimeField()
    recipients = serializers.IntegerField()
    rejected = serializers.IntegerField()
    removed = RemovedShape(many=True)
    encoding = serializers.ChoiceField(choices=["gsm7", "ucs2", "unknown"])
    encodings = EncodingsShape()
    segments = SegmentsShape()
    segments_range = RangeShape()
    countries = CountryShape(many=True)
    cost = CostShape()
    policy = PolicyShape(allow_null=True)
    deferred = DeferredShape()
    ahead = serializers.IntegerField(
        help_text="Messages that wait already in the same or a more urgent lane."
    )
    rate = serializers.IntegerField(allow_null=True, help_text="Destinations a second, by contract.")
    start_at = serializers.DateTimeField(allow_null=True)
    finish_at = serializers.DateTimeField(allow_null=True)
    finish_latest_at = serializers.DateTimeField(
        allow_null=True, help_text="Later than `finish_at` only where a ramp may wait for receipts."
    )
    too_late = serializers.IntegerField(help_text="Messages that would expire before being sent.")
    forecast = serializers.CharField(help_text="What the times rest on, or why there is none.")
    warnings = DoubtShape(many=True)
    cautions = CautionShape(many=True)
    approval = PlannedApprovalShape()
    row = serializers.IntegerField(help_text="Whose `request` it is.")
    request = serializers.DictField(
        help_text="What the provider would get for `row`; the correlation id is made when it is sent."
    )
