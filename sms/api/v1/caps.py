"""What the spend caps leave a key today."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.bodies import Moment
from sms.api.v1.resource import Resource
from sms.api.v1.sparse import Answer
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.standing import standings
from sms.catalogue.caps.wants import MICROS
from sms.models.sql.clock import corrected_now


class CapShape(Answer):
    """One cap of the day."""

    name = serializers.CharField(
        help_text="`day` of the service, `key:…` of this key, `country:FR`; `money` likewise."
    )
    unit = serializers.CharField(help_text="`segments`, or a currency like EUR.")
    limit = serializers.SerializerMethodField()
    used = serializers.SerializerMethodField(
        help_text="By sends that are due today, also those that still wait."
    )
    left = serializers.SerializerMethodField()

    def _amount(self, one: Any, value: int) -> float:
        return value / MICROS if one.is_money else value

    def get_limit(self, one: Any) -> float:
        return self._amount(one, one.cap)

    def get_used(self, one: Any) -> float:
        return self._amount(one, one.used)

    def get_left(self, one: Any) -> float:
        return self._amount(one, one.left)


class CapsShape(Answer):
    """Today's caps. What has none is left out."""

    day = serializers.DateField(help_text="Of the service's time zone.")
    free_at = Moment(help_text="When all of them start from zero.")
    per_number = serializers.IntegerField(allow_null=True, help_text="Messages a day to one number.")
    countries = serializers.ListField(
        child=serializers.CharField(),
        help_text="That may be written to; empty for all but those where texts are abused most.",
    )
    caps = CapShape(many=True)


class Caps(Resource):
    scope = "send"
    owner = access.SHARED
    pagination_class = None
    filter_backends = ()

    def parameters(self) -> set[str]:
        return set()

    @extend_schema(
        operation_id="caps_read",
        summary="Read what the spend caps leave",
        responses={200: CapsShape},
    )
    def retrieve(self, request: Request) -> Response:
        """Of the service and of this key, for today."""
        key = access.key_of(request)
        rules = CapRules.of(self.service, key)
        day = rules.day_of(corrected_now())
        shown = {
            "day": day,
            "free_at": rules.ends_at(day),
            "per_number": self.service.cap_number,
            "countries": sorted({self.service.default_country, *rules.allowed}) if rules.allowed else [],
            "caps": standings(self.service, day, keys=[key], countries_of=None if key.sees_all else key),
        }
        return Response(CapsShape(shown).data)
