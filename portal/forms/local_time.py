"""A time as a wall clock shows it, made exact."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sms.values.quiet_hours import local_instant


class LocalTimeField(forms.DateTimeField):
    """Typed in the page's time zone. An hour that the clocks skip becomes the moment they change; one that they repeat, its first."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        """What carries an offset, or is written another way, is read as Django reads it."""
        naive = None
        if isinstance(value, str):
            try:
                naive = parse_datetime(value.strip())
            except ValueError:  # the 30th of February
                naive = None
        if naive is None or naive.tzinfo is not None:
            return super().to_python(value)
        try:
            return local_instant(naive, timezone.get_current_timezone_name())
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None
