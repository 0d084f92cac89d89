"""A file that a form takes: refused by its size before anything reads it."""

from typing import Any

from django import forms
from django.conf import settings


class UploadField(forms.FileField):
    """`advice` follows the sentence that says how large the file is."""

    def __init__(self, *, advice: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.advice = advice

    def clean(self, data: Any, initial: Any = None) -> Any:
        file, limit = super().clean(data, initial), settings.UPLOAD_MAX_BYTES
        if file and (file.size or 0) > limit:
            says = f"{file.name} has {file.size / 1_000_000:.1f} MB; {limit / 1_000_000:.0f} MB are allowed. {self.advice}"
            raise forms.ValidationError(says, code="too_large")
        return file
