"""A file that a form takes: refused by its size before anything reads it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _

from sms.words import number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class UploadField(forms.FileField):
    """`advice` is a sentence that follows the one that says how large the file is."""

    def __init__(self, *, advice: "StrOrPromise", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.advice = advice

    def clean(self, data: Any, initial: Any = None) -> Any:
        file, limit = super().clean(data, initial), settings.UPLOAD_MAX_BYTES
        if file and (file.size or 0) > limit:
            size, most = round(file.size / 1_000_000, 1), round(limit / 1_000_000)
            says = _("%(file)s has %(size)s MB; %(most)s MB are allowed.")
            says %= {"file": file.name, "size": number(size), "most": number(most)}
            raise forms.ValidationError(f"{says} {self.advice}", code="too_large")
        return file
