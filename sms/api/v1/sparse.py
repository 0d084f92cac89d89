"""What leaves: serializers whose fields a caller can choose (`?fields=id,state`), and numbers masked, texts null unless the key may see
them."""

from typing import Any

from rest_framework import serializers

from sms.api.v1.problems import unknown
from sms.sends.own_numbers import without_recipients
from sms.values.msisdn import mask
from sms.values.msisdn.mention import masked, numbers_like, starred


class Sparse(serializers.Serializer[Any]):
    """A read-only shape. The context's `only` names the fields that are wanted, None for all."""

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
        return {name: field for name, field in fields.items() if name in only}


class SparseModel(Sparse, serializers.ModelSerializer[Any]):
    """Fields that are shown as the model has them. All are read-only."""

    def get_extra_kwargs(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().get_extra_kwargs()
        return {name: wanted.get(name, {}) | {"read_only": True} for name in self.Meta.fields}


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
