"""Forms of sends that come again: the rhythm, and the holidays of a service."""

import zoneinfo
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sms.models import RecurringSend, Service
from sms.sends.recurring import control, holidays
from sms.words import moment, number, retold

NEVER, ON_DATE, AFTER = "never", "date", "times"
ENDS = (
    (NEVER, gettext_lazy("No end: it repeats until someone ends it")),
    (ON_DATE, gettext_lazy("Ends on a day")),
    (AFTER, gettext_lazy("Ends after a number of times")),
)
WEEK = [(str(day), name) for day, name in WEEKDAYS.items()]
LARGEST_LIST = 100_000  # characters


class RhythmForm(forms.ModelForm):
    """How often, at which local time, until when. `instance` is a recurring send, often one that is not stored yet."""

    days = forms.MultipleChoiceField(
        choices=WEEK, required=False, label=gettext_lazy("On these days"), widget=forms.CheckboxSelectMultiple
    )
    weekday = forms.TypedChoiceField(
        choices=WEEK, coerce=int, required=False, label=gettext_lazy("Day of the week")
    )
    ends = forms.ChoiceField(
        choices=ENDS, label=gettext_lazy("Until"), widget=forms.RadioSelect, initial=NEVER
    )

    class Meta:
        model = RecurringSend
        fields = ("name", *control.RHYTHM)
        widgets = {  # noqa: RUF012 - Django's own spelling
            "every": forms.RadioSelect,
            "at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts = {"name": gettext_lazy("Each send gets this name and its date.")}  # noqa: RUF012
        labels = {  # noqa: RUF012
            "interval": gettext_lazy("Repeat every (days, weeks or months)"),
            "at": gettext_lazy("Time"),
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        self.service = service
        instance: RecurringSend = kwargs["instance"]
        today = timezone.localdate(timezone=zoneinfo.ZoneInfo(service.clock))
        self.today = today
        ends = ON_DATE if instance.ends_on else AFTER if instance.times else NEVER
        kwargs["initial"] = {"days": list(instance.days), "ends": ends, **kwargs.get("initial", {})}
        if instance.starts_on is None:
            kwargs["initial"].setdefault("starts_on", today + timedelta(days=1))
        super().__init__(*args, **kwargs)
        says = _("Local time in %(zone)s; it stays the same when clocks change.")
        self.fields["at"].help_text = says % {"zone": service.time_zone}
        for name in ("interval", "day", "nth"):  # what another choice hides may be empty
            self.fields[name].required = False
        self.fields["starts_on"].help_text = _("Every second day, week or month is counted from this day.")

    def clean(self) -> dict[str, Any]:
        """What was chosen beside the choices that are not in use is forgotten."""
        data: dict[str, Any] = super().clean() or {}
        data["days"] = "".join(sorted(data.get("days") or []))
        for name, usual in (("interval", 1), ("day", 1), ("nth", 1), ("weekday", 0)):
            if data.get(name) in (None, ""):
                data[name] = usual
        ends = data.get("ends")
        for name, chosen, missing in (
            ("ends_on", ON_DATE, _("Choose the last day.")),
            ("times", AFTER, _("Write how many times it is sent.")),
        ):
            if ends != chosen:
                data[name] = None
                self.errors.pop(name, None)
            elif not data.get(name) and name not in self.errors:
                self.add_error(name, missing)
        every = data.get("every")
        if every == RecurringSend.Every.WEEKLY and not data["days"]:
            self.add_error("days", _("Choose at least one day."))
        if every != RecurringSend.Every.WEEKLY:
            data["days"] = ""
        if every == RecurringSend.Every.WEEKDAYS:
            data["interval"] = 1
        self._check_days(data)
        return data

    def _check_days(self, data: dict[str, Any]) -> None:
        starts_on, ends_on = data.get("starts_on"), data.get("ends_on")
        stored = self.instance.starts_on if self.instance.pk else None
        if starts_on is not None and starts_on != stored and starts_on < self.today:
            says = _("That day is over. Choose %(day)s or later.")
            self.add_error("starts_on", says % {"day": moment(self.today, "j F Y")})
        if starts_on and starts_on > self.today + timedelta(days=3653):
            self.add_error("starts_on", _("That is more than ten years ahead. Choose an earlier day."))
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The last day is before the first one."))
        at = data.get("at")
        if at is not None:
            data["at"] = at.replace(second=0, microsecond=0)

    def wanted(self) -> RecurringSend:
        """The recurring send as it is to be, not stored; for a form that is valid."""
        wanted = RecurringSend(service=self.service, time_zone=self.service.time_zone)
        for name in ("name", *control.RHYTHM):
            setattr(wanted, name, self.cleaned_data[name])
        return wanted


class HolidaysForm(forms.Form):
    """All holidays of a service, a line each, or a file of such lines."""

    lines = forms.CharField(
        required=False,
        max_length=LARGEST_LIST,
        strip=False,
        label=gettext_lazy("Holidays"),
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        help_text=gettext_lazy("One per line: the date, then its name. For example 2026-12-25 Christmas Day"),
    )
    file = forms.FileField(
        required=False,
        label=gettext_lazy("Or a file"),
        help_text=gettext_lazy("A text or CSV file with the same kind of lines. It replaces the list above."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        file = data.get("file")
        text = data.get("lines") or ""
        if file is not None:
            if file.size > LARGEST_LIST:
                says = _("The file has more than %(most)s bytes. Leave out what is past.")
                self.add_error("file", says % {"most": number(LARGEST_LIST)})
                return data
            text = file.read().decode("utf-8-sig", "replace")
        days, wrong = holidays.read(text)
        for line in wrong[:5]:
            self.add_error("file" if file is not None else "lines", retold(line.says))
        if len(wrong) > 5:
            more = len(wrong) - 5
            says = ngettext("And %(n)s more line.", "And %(n)s more lines.", more) % {"n": number(more)}
            self.add_error("file" if file is not None else "lines", says)
        data["days"] = days
        return data

    @property
    def days(self) -> dict[date, str]:
        found: dict[date, str] = self.cleaned_data["days"]
        return found
