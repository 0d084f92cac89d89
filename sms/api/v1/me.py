"""Who am I: what a key is, what it may do, and what is left to it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.throttle import DAY, MINUTE
from sms.api.v1 import access
from sms.api.v1.bodies import Moment
from sms.api.v1.resource import Resource
from sms.api.v1.sparse import Answer
from sms.catalogue import key_policies
from sms.catalogue.caps.minutes import UNIT
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.standing import CapStanding, of_minute, standings
from sms.catalogue.caps.wants import MICROS
from sms.models import ApiKey, Purpose, Resend
from sms.models.api_key import SCOPES
from sms.models.sql.clock import corrected_now
from sms.values import text

REQUESTS = "requests"


class LimitShape(Answer):
    """One limit, and what is left of it. Over it the answer is 429 with Retry-After."""

    name = serializers.CharField(
        help_text="`requests` and `messages` of a minute; of a day `segments`, `segments-FR` to one country, `money`. "
        "Those of the whole service begin with `service-`."
    )
    unit = serializers.CharField(help_text="`requests`, `messages`, `segments`, or a currency like EUR.")
    window = serializers.IntegerField(help_text="Seconds: 60, or 86400 for a day of the service's time zone.")
    limit = serializers.FloatField()
    used = serializers.FloatField(help_text="By sends that are due in it, also those that still wait.")
    left = serializers.FloatField()
    free_at = Moment(help_text="When it starts from zero.")


class MyService(Answer):
    """The service that the key belongs to."""

    slug = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField(source="clock", help_text="In which its days begin.")
    default_country = serializers.CharField(help_text="Numbers without a country code are read as its own.")
    sandbox = serializers.BooleanField(source="is_sandbox", help_text="No real SMS is sent.")
    rate = serializers.IntegerField(
        allow_null=True, help_text="Messages a second, as contracted; null for no limit."
    )


class TextLimits(Answer):
    """How long one message may be."""

    characters = serializers.IntegerField()
    segments_gsm7 = serializers.IntegerField(help_text="Of so many characters of the GSM alphabet.")
    segments_ucs2 = serializers.IntegerField(help_text="Of so many others.")


class MyDefaults(Answer):
    """What a request gets where it does not say."""

    resend = serializers.ChoiceField(choices=Resend.values)
    respect_quiet_hours = serializers.BooleanField()
    needs_notify_url = serializers.BooleanField(
        help_text="A message whose notifyUrl cannot be called is refused."
    )


class MeShape(Answer):
    """The key that the request came with. `owner` is shared by the keys of its name: it owns what they make."""

    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins.")
    owner = serializers.UUIDField(source="identity")
    test = serializers.BooleanField(source="is_test", help_text="A test key: no real SMS is sent.")
    service = MyService()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    purpose = serializers.ChoiceField(choices=Purpose.values)
    networks = serializers.ListField(
        child=serializers.CharField(), help_text="Where it may be used from; empty for everywhere."
    )
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    limits = LimitShape(many=True)
    per_number = serializers.IntegerField(allow_null=True, help_text="Messages a day to one number.")
    countries = serializers.ListField(
        child=serializers.CharField(),
        help_text="That it may write to; empty for all but those where texts are abused most.",
    )
    text_limit = TextLimits()
    defaults = MyDefaults()


class Me(Resource):
    """Open to every key, whatever its scopes."""

    owner = access.SHARED
    pagination_class = None
    filter_backends = ()

    def parameters(self) -> set[str]:
        return set()

    @extend_schema(
        operation_id="me_read",
        summary="Read what this key is, may do, and has left",
        responses={200: MeShape},
    )
    def retrieve(self, request: Request) -> Response:
        """Asking for it takes one request of the minute, and nothing else."""
        key, service = access.key_of(request), self.service
        rules, most = CapRules.of(service, key), service.text_limit
        key.limits = list(self._limits(key, rules))  # type: ignore[attr-defined]
        key.per_number = service.cap_number  # type: ignore[attr-defined]
        key.defaults = {  # type: ignore[attr-defined]
            "resend": key.resend,
            "respect_quiet_hours": not key_policies.is_transactional(key),
            "needs_notify_url": key.needs_notify_url,
        }
        key.text_limit = {  # type: ignore[attr-defined]
            "characters": most,
            "segments_gsm7": text.segments("a" * most).count,
            "segments_ucs2": text.segments("\u0416" * most).count,
        }
        shown = MeShape(key).data
        return Response(shown | {"countries": _countries(rules)})

    def _limits(self, key: ApiKey, rules: CapRules) -> Iterator[dict[str, Any]]:
        now, headers = corrected_now(), self.request._request.rate_limit  # type: ignore[attr-defined]
        left = int(headers["RateLimit-Remaining"])
        free_at = now + timedelta(seconds=int(headers["RateLimit-Reset"]))
        used = key.per_minute - left
        yield _limit(REQUESTS, REQUESTS, MINUTE, key.per_minute, used, left, free_at)
        found = standings(
            self.service, rules.day_of(now), keys=[key], countries_of=None if key.sees_all else key
        )
        minute = of_minute(rules, key, now=now)
        for one in [minute, *found] if minute else found:
            yield _shown(one)


def _limit(
    name: str, unit: str, window: int, limit: float, used: float, left: float, free_at: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "unit": unit,
        "window": window,
        "limit": limit,
        "used": used,
        "left": left,
        "free_at": free_at,
    }


def _shown(one: CapStanding) -> dict[str, Any]:
    per = MICROS if one.is_money else 1
    window = MINUTE if one.unit == UNIT else DAY
    return _limit(one.label, one.unit, window, one.cap / per, one.used / per, one.left / per, one.free_at)


def _countries(rules: CapRules) -> list[str]:
    """Those that the key may write to by its own list and by that of its service."""
    if not rules.of_key and not rules.allowed:
        return []
    named = rules.of_key or {rules.service.default_country: None, **rules.allowed}
    return sorted(country for country in named if not rules.refusal(country))
