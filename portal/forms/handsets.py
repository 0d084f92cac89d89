"""What is done on a pretend phone."""

from typing import Any

from django import forms


class PhoneReplyForm(forms.Form):
    """A text that a phone writes to one of our numbers."""

    person = forms.SlugField(max_length=200)
    to = forms.ChoiceField()
    text = forms.CharField(max_length=1000)

    def __init__(self, *args: Any, numbers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"] = forms.ChoiceField(choices=[(one, one) for one in numbers])


class OpenLinkForm(forms.Form):
    """`link` is the message and the number of the link in its text, as `12-1`."""

    link = forms.RegexField(r"\A([0-9]{1,18})-([0-9]{1,3})\Z")

    @property
    def named(self) -> tuple[int, int]:
        message, _, number = self.cleaned_data["link"].partition("-")
        return int(message), int(number)
