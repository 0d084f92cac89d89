"""Prices of a service as a table: each with its own fields, a tick to take it out, and empty rows for new ones."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.msisdn import countries
from sms.catalogue.prices import PriceRow
from sms.models import SenderKind, Service
from sms.values.country_names import country_here

MOST = 150  # beyond that a list is changed as CSV: a form may have a thousand fields
NEW = 3


class PriceForm(forms.Form):
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    sender_kind = forms.ChoiceField(
        label=gettext_lazy("Sender"),
        required=False,
        choices=[("", gettext_lazy("Any")), *SenderKind.choices],
    )
    amount = forms.DecimalField(label=gettext_lazy("A segment"), min_value=0, max_digits=12, decimal_places=6)
    currency = forms.RegexField(
        r"^[A-Za-z]{3}\Z",
        label=gettext_lazy("Currency"),
        error_messages={"invalid": gettext_lazy("Write its three letters, like EUR.")},
        widget=forms.TextInput(attrs={"size": 4, "maxlength": 3, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", _("Choose a country")), *countries()]  # type: ignore[attr-defined]
        if self.is_listed:
            for name in ("country", "sender_kind"):
                self.fields[name].widget = forms.HiddenInput()
        for field in self.fields.values():
            # Translators: %(field)s is a label such as Currency; %(country)s and %(kind)s say whose price it is.
            says = (
                _("%(field)s of %(country)s, %(kind)s") if self.is_listed else _("%(field)s of a new price")
            )
            about = {"country": self.names, "kind": self.kind}
            field.widget.attrs["aria-label"] = says % {"field": field.label, **about}

    @property
    def is_listed(self) -> bool:
        """Whether it was in the list already: then its country and kind stand, and its price may be changed."""
        return not self.empty_permitted

    @property
    def names(self) -> str:
        code = str(self["country"].value() or "")
        return f"{country_here(code)} ({code})"

    @property
    def kind(self) -> str:
        return str(dict(self.fields["sender_kind"].choices).get(self["sender_kind"].value() or "", ""))  # type: ignore[attr-defined]

    @property
    def row(self) -> PriceRow:
        data = self.cleaned_data
        return PriceRow(data["country"], data["sender_kind"], data["amount"], data["currency"].upper())


class _PriceTable(forms.BaseFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Take out %(country)s, %(kind)s") % {
                "country": form.names,
                "kind": form.kind,
            }

    def clean(self) -> None:
        seen: set[tuple[str, str]] = set()
        for form in self.kept:
            key = (form.cleaned_data.get("country", ""), form.cleaned_data.get("sender_kind", ""))
            if key in seen:
                form.add_error("country", _("This country with this kind of sender has a price already."))
            seen.add(key)

    @property
    def kept(self) -> list[PriceForm]:
        """Forms that hold a price, without those that are taken out."""
        held = [one for one in self.forms if one.has_changed() or one.is_listed]
        return [one for one in held if not getattr(one, "cleaned_data", {}).get("DELETE")]

    @property
    def rows(self) -> list[PriceRow]:
        return [one.row for one in self.kept]


_PRICES = forms.formset_factory(
    PriceForm, formset=_PriceTable, extra=NEW, can_delete=True, max_num=MOST + NEW, validate_max=True
)


def price_table(service: Service, data: Any = None) -> Any:
    """The table of a service's prices; None where there are too many of them."""
    listed = list(service.prices.values("country", "sender_kind", "amount", "currency")[: MOST + 1])
    if len(listed) > MOST:
        return None
    for one in listed:
        one["amount"] = one["amount"].normalize()
    return _PRICES(data, initial=listed, prefix="price")
