"""Forms of the callbacks pages: an endpoint, the filter of its log, and a range to replay."""

from typing import Any

from django import forms
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from portal.forms.time_zones import LocalTimeField
from sms.callbacks import AddressPolicy, BadAddress, secret_problem
from sms.callbacks.address import read
from sms.compose import labels
from sms.models import Callback, CallbackEndpoint, Service
from sms.models.callback import MOST_IN_A_BATCH
from sms.models.event_types import EVENTS
from sms.webex.limits import LONGEST_URL
from sms.words import retold


class SecretForm(forms.Form):
    """The new signing secret of an endpoint; empty for one that is made."""

    secret = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Your own secret"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-secret": True}),
    )

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        self.fields["secret"].help_text = (
            _("8 to 200 letters, digits and signs. Left empty, one is made and shown.")
            if kind == CallbackEndpoint.Kind.NOTIFY
            else _("whsec_ and base64. Left empty, one is made and shown.")
        )

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if secret and (why := secret_problem(secret, self.kind)):
            raise forms.ValidationError(retold(why))
        return secret


class EndpointForm(forms.Form):
    """What an endpoint gets, and where. `wants` are the columns of it."""

    name = forms.CharField(
        max_length=80,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("For example the system that listens."),
    )
    url = forms.CharField(
        max_length=LONGEST_URL,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "Begins with https://. It must answer the challenge that is sent to it, also after it was changed."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        choices=EVENTS,
        required=False,
        label=gettext_lazy("Events"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked means all."),
    )
    keys = forms.MultipleChoiceField(
        label=gettext_lazy("Of the sends of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked means everyone's, people's too."),
    )
    senders = forms.MultipleChoiceField(
        label=gettext_lazy("Sent from"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked means all senders."),
    )
    labels = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("Labels"),
        help_text=gettext_lazy("Between commas: sends with one of these. Empty means all sends."),
    )
    full_numbers = forms.BooleanField(
        required=False,
        label=gettext_lazy("With whole numbers"),
        help_text=gettext_lazy("Otherwise numbers are masked, and the message's id says which one it is."),
    )
    texts = forms.BooleanField(
        required=False,
        label=gettext_lazy("With texts of replies"),
        help_text=gettext_lazy("Otherwise what people wrote, and which link they opened, is left out."),
    )
    batch_size = forms.IntegerField(
        label=gettext_lazy("Events in one POST"),
        required=False,
        initial=1,
        min_value=1,
        max_value=MOST_IN_A_BATCH,
        help_text=gettext_lazy(
            "1, or up to 100: then as many as wait come together, in the form of a batch."
        ),
    )

    def __init__(
        self,
        *args: Any,
        service: Service,
        policy: AddressPolicy,
        endpoint: CallbackEndpoint | None = None,
        **options: Any,
    ) -> None:
        if endpoint is not None:
            options.setdefault("initial", _shown(endpoint))
        super().__init__(*args, **options)
        self.policy = policy
        self.fields["url"].required = endpoint is None
        names = service.api_keys.order_by("name", "is_test").values_list("identity", "name", "is_test")
        keys = {
            str(identity): _("%(name)s (test)") % {"name": name} if is_test else name
            for identity, name, is_test in names
        }
        for field, choices in (
            ("keys", list(keys.items())),
            ("senders", list(service.senders.order_by("address").values_list("pk", "address"))),
        ):
            if choices:
                self.fields[field].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[field]

    def clean_url(self) -> str:
        """As written; nothing of it is changed, so what is shown is what is called."""
        url: str = self.cleaned_data["url"]
        if url:
            try:
                read(url, self.policy)
            except BadAddress as problem:
                raise forms.ValidationError(retold(str(problem))) from None
        return url

    def clean_labels(self) -> list[str]:
        try:
            return list(labels.normalized_set(labels.split(self.cleaned_data["labels"])))
        except labels.BadLabel as problem:
            raise forms.ValidationError(retold(str(problem))) from None

    @property
    def wants(self) -> dict[str, Any]:
        found = {name: value for name, value in self.cleaned_data.items() if name != "url"}
        keys = found.get("keys", [])
        return found | {
            "keys": keys,
            "all_keys": not keys,
            "senders": [int(pk) for pk in found.get("senders", ())],
            "batch_size": found["batch_size"] or 1,
        }


def _shown(endpoint: CallbackEndpoint) -> dict[str, Any]:
    columns = ("name", "url", "events", "keys", "senders", "full_numbers", "texts", "batch_size")
    return model_to_dict(endpoint, columns) | {"labels": ", ".join(endpoint.labels)}


class FilterForm(forms.Form):
    state = forms.ChoiceField(
        required=False,
        label=pgettext_lazy("noun", "State"),
        choices=[("", gettext_lazy("All")), *Callback.State.choices],
    )
    kind = forms.ChoiceField(
        required=False, label=gettext_lazy("Event"), choices=[("", gettext_lazy("All")), *EVENTS]
    )
    message = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**62,
        label=gettext_lazy("Message"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


class RangeForm(forms.Form):
    since = LocalTimeField(label=gettext_lazy("From"))
    until = LocalTimeField(label=pgettext_lazy("date", "To"))
    failed_only = forms.BooleanField(required=False, label=gettext_lazy("Only what was not delivered"))

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since >= until:
            self.add_error("until", _("The end must be later than the beginning."))
