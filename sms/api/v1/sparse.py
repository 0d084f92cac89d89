"""What leaves: serializers whose fields a caller can choose (`?fields=id,state`), and numbers masked, texts null unless the key may see
them."""

from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers

from sms.api.v1.bodies import Moment
from sms.api.v1.problems import unknown
from sms.sends.own_numbers import without_recipients
from sms.values.msisdn import mask
from sms.values.msisdn.mention import masked, numbers_like, starred


class Answer(serializers.Serializer[Any]):
    """A read-only shape. What there is none of is null, a text as well as an id or a time; a list or an object is empty instead."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return {name: None if value == "" else value for name, value in shown.items()}


class Sparse(Answer):
    """An answer that can be shorter: the context's `only` names the fields that are wanted beside `identity`, None for all.

    One without an identity is never made shorter.
    """

    identity: ClassVar[str] = "id"

    def get_fields(self) -> dict[str, Any]:
        """Those that were asked for; an unknown name is an error that lists the known ones."""
        fields = super().get_fields()
        only = self.context.get("only")
        if only is None or (
            self.parent is not None and not isinstance(self.parent, serializers.ListSerializer)
        ):
            return fields
        for name in only:
            if name not in fields:
                raise unknown("fields", "field", fields, name)
        return {name: field for name, field in fields.items() if name in only or name == self.identity}


class SparseModel(Sparse, serializers.ModelSerializer[Any]):
    """Fields that are shown as the model has them. All are read-only."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateTimeField: Moment
    }

    def build_standard_field(self, name: str, field: Any) -> Any:
        kind, kwargs = super().build_standard_field(name, field)
        return kind, kwargs | ({"allow_null": True} if may_be_empty(field) else {})

    def get_extra_kwargs(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().get_extra_kwargs()
        return {name: wanted.get(name, {}) | {"read_only": True} for name in self.Meta.fields}


def may_be_empty(field: Any) -> bool:
    return isinstance(field, models.CharField | models.TextField) and field.blank


class Known(serializers.IntegerField):
    """A number, null where our table has 0 for what is not known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"allow_null": True})

    def to_representation(self, value: Any) -> Any:
        return value or None


class Words(serializers.CharField):
    """What was sent or answered: null unless the context's `texts` says otherwise."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) if self.context.get("texts") else None


class Text(serializers.CharField):
    """What was said of a message: numbers of its send's recipients are hidden in it unless the context's `numbers` says otherwise."""

    def get_attribute(self, instance: Any) -> Any:
        text = super().get_attribute(instance)
        if self.context.get("numbers"):
            return text
        said = starred(text or "", instance.msisdn)
        return without_recipients(said, instance.send) if numbers_like(said) else said


class MessageText(Words, Text):
    """What a message says."""


class Remark(serializers.CharField):
    """What a person, a network or a receiver wrote: numbers in it are hidden unless the context's `numbers` says otherwise."""

    def to_representation(self, value: Any) -> str:
        return str(value) if self.context.get("numbers") else masked(str(value))


class Number(serializers.CharField):
    """An MSISDN, masked unless the context's `numbers` says otherwise."""

    def to_representation(self, value: str) -> str:
        return value if self.context.get("numbers") and value.startswith("+") else mask(value)
