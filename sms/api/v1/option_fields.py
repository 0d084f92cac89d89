"""The send options as fields of `/api/v1`, made from the columns of `SendOptions`: in a body, and shown of a send."""

from copy import deepcopy
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.bodies import Moment
from sms.api.v1.sparse import Answer, may_be_empty
from sms.catalogue.key_policies import LEFT_TO_KEYS
from sms.models import ALL_RECEIPTS, Draft, Lane, Receipts, SendOptions
from sms.models.number_choice import LeaveOutField
from sms.models.receipt_choice import ReceiptsField
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind
from sms.values.problems import ProblemCode

NO_KIND = "none"
LANES = {lane.name.lower(): lane for lane in Lane}
PLAIN = tuple(field.name for field in SendOptions.fields() if not isinstance(field, models.ForeignKey))


@extend_schema_field({"type": "string", "enum": list(LANES)})
class LaneField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"choices": list(LANES)})

    def to_internal_value(self, data: Any) -> Lane:  # type: ignore[override]
        return LANES[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> str:
        return Lane(value).name.lower()


class ReceiptNames(serializers.ListField):
    child = serializers.ChoiceField(choices=ALL_RECEIPTS.names)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"min_length": 1, "max_length": len(ALL_RECEIPTS)})

    def to_internal_value(self, data: Any) -> Receipts:  # type: ignore[override]
        return Receipts.of(super().to_internal_value(data))

    def to_representation(self, value: Any) -> list[str]:
        return Receipts(value).names


class KindNames(serializers.ListField):
    """An empty list is as if left out, here as everywhere; that no kind is left out has a name of its own."""

    child = serializers.ChoiceField(choices=[*DOUBTFUL.names, NO_KIND])

    def to_internal_value(self, data: Any) -> NumberKind:  # type: ignore[override]
        given = super().to_internal_value(data)
        if NO_KIND in given and len(set(given)) > 1:
            says = f"Write {NO_KIND} alone, or the kinds without it."
            raise serializers.ValidationError(says, code=ProblemCode.ONLY_ONE)
        return NumberKind.of(one for one in given if one != NO_KIND)

    def to_representation(self, value: Any) -> list[str]:
        return NumberKind(value).names or [NO_KIND]


class OptionsOfModel(serializers.ModelSerializer[Any]):
    """A field of each option, with the limits, choices and words of its column."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateTimeField: Moment,
        ReceiptsField: ReceiptNames,
        LeaveOutField: KindNames,
    }

    class Meta:
        model = Draft
        fields = PLAIN

    def build_standard_field(self, name: str, field: Any) -> Any:
        kind, kwargs = super().build_standard_field(name, field)
        kwargs.pop("validators", None)  # patterns are for `compose` to judge, like all that is no mere shape
        if name == "callback_data":  # comes back as it was given
            kwargs["trim_whitespace"] = False
        if name == "lane":
            kind, kwargs = LaneField, {"help_text": field.help_text}
        if name in LEFT_TO_KEYS:
            says = f"{field.help_text} As your API key has it if left out.".strip()
            return kind, kwargs | {"required": False, "help_text": says}
        if kind in (Moment, ReceiptNames, KindNames):
            kwargs = {one: kwargs[one] for one in ("required", "allow_null", "help_text") if one in kwargs}
        elif field.has_default():
            kwargs = {one: kwargs[one] for one in kwargs if one != "required"} | {"default": field.default}
        return kind, kwargs


class ShownOptions(OptionsOfModel):
    """As a send has them: checks and receipts as they come out."""

    SOURCES: ClassVar[dict[str, str]] = {
        "track_clicks": "counts_clicks",
        "check_consent": "checks_consent",
        "apply_frequency_cap": "applies_frequency_cap",
        "receipts": "requested_receipts",
    }

    def build_standard_field(self, name: str, field: Any) -> Any:
        kind, kwargs = super().build_standard_field(name, field)
        empty = {"allow_null": True} if may_be_empty(field) else {}
        return kind, kwargs | empty | {"source": f"send.{self.SOURCES.get(name, name)}"}

    def get_extra_kwargs(self) -> dict[str, Any]:
        return {name: {"read_only": True} for name in PLAIN}


USUAL: dict[str, Any] = {
    name: None if value == "" else value for name, value in OptionsOfModel(Draft()).data.items()
}
_asked, _shown = OptionsOfModel().get_fields(), ShownOptions().get_fields()


class WithOptions(serializers.Serializer[Any]):
    """A body that has every option; names of the catalogue it declares itself."""

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | deepcopy(_asked)


class WithShownOptions(Answer):
    """A shape of `send` that has every option."""

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | deepcopy(_shown)
