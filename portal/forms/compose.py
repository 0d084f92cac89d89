"""The compose page's form. It keeps whatever was typed; whether that makes a send is the domain's to say."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from portal.forms import time_zones
from portal.forms.msisdn import countries
from portal.forms.reading import ReadingForm
from portal.forms.texts import text_of
from portal.forms.time_zones import WallClockField
from portal.forms.uploads import UploadField
from portal.limits import upload_limits
from portal.odd_requests import refuse_too_long
from portal.presenters import wording
from sms.audiences.files import AudienceError, refuse_other_kind
from sms.audiences.files.choices import NAMES
from sms.compose.drafts import collaboration
from sms.models import (
    USUAL_RECEIPTS,
    Draft,
    Lane,
    Receipts,
    Resend,
    SendOptions,
    Service,
    TemplateVersion,
    VersionState,
)
from sms.models.receipt_choice import NONE, WITHOUT
from sms.values.msisdn.kinds import DOUBTFUL
from sms.values.text import match_key
from sms.values.time_zones import or_utc
from sms.webex.limits import LONGEST_VALIDITY
from sms.words import retold

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LANES = [
    (Lane.URGENT, gettext_lazy("Urgent")),
    (Lane.NORMAL, gettext_lazy("Normal")),
    (Lane.BULK, gettext_lazy("Bulk")),
]
RESENDS = [
    (Resend.NEVER, gettext_lazy("Wait for its receipt, or for a person (recommended)")),
    (Resend.EVIDENCE, gettext_lazy("Send again only if the receipts of others show that it was not sent")),
    (Resend.ALWAYS, gettext_lazy("Send again after ten seconds, once: it may arrive twice. Needs an expiry")),
]
# The fields of the page in which a field of the draft is typed, where it is not one of the same name.
TYPED_IN: dict[str, tuple[str, ...]] = {
    "send_at": ("when", "send_at"),
    "expires_at": ("ends", "expires_at"),
    "validity": ("ends", "validity_count", "validity_unit"),
    "shorten_links": ("track",),
    "track_clicks": ("track",),
    "upload": (),
    "fillings": (),
    "again": (),
}
# options that have a place of their own in `compose/_more.html`; the page shows others after them
PLACED = (
    *("policy_group", "check_consent", "apply_frequency_cap"),
    *("link_domain", "allow_fallback_url", "tag1", "tag2", "smartlink_validity"),
    *("receipts", "callback_data", "notify_url", "notify_url_auth_id", "batch_id"),
    *("expires_at", "language", "lane", "resend", "ramp", "respect_quiet_hours", "leave_out"),
)
AS_THE_GROUP = [
    ("", gettext_lazy("As the group says")),
    ("yes", gettext_lazy("Yes")),
    ("no", gettext_lazy("No")),
]
UNITS = [("60", gettext_lazy("minutes")), ("3600", gettext_lazy("hours")), ("1", gettext_lazy("seconds"))]
WHEN = [("now", gettext_lazy("Now")), ("later", gettext_lazy("At a time"))]
TRACK = [
    ("yes", gettext_lazy("Count clicks")),
    ("no", gettext_lazy("Only shorten")),
    ("off", gettext_lazy("Neither")),
]
ENDS = [
    ("never", gettext_lazy("Never")),
    ("at", gettext_lazy("At a time")),
    ("after", gettext_lazy("After a while")),
]


def _as_the_group(label: "StrOrPromise") -> forms.TypedChoiceField:
    choices: dict[str, Any] = {"choices": AS_THE_GROUP, "coerce": lambda said: said == "yes"}
    return forms.TypedChoiceField(label=label, required=False, empty_value=None, **choices)


def typed_in(name: str) -> tuple[str, ...]:
    """The fields of the page for a field of the draft; none for one that is typed elsewhere than in this form's fields."""
    return TYPED_IN.get(name, (name,))


def fillings_typed(typed: Any, stored: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """`{"name": {"column": "Customer", "fallback": "friend"}}` from three lists of fields, one entry each for every placeholder."""
    lists = [typed.getlist(f"filling_{part}") for part in ("name", "column", "fallback")]
    shown = {match_key(name) for name in lists[0]}
    kept = {name: dict(one) for name, one in stored.items() if match_key(name) not in shown}
    for name, column, fallback in list(zip(*lists, strict=False))[:100]:
        refuse_too_long(_("placeholder"), name, most=200)
        refuse_too_long(_("column"), column, most=200)
        refuse_too_long(_("where a row has nothing"), fallback, most=500)
        source = {"column": column, "fallback": fallback.strip()}
        if source := {part: value for part, value in source.items() if value}:
            kept[name] = source
    return kept


class DraftForm(ReadingForm, forms.ModelForm):
    file = UploadField(
        required=False,
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or a workbook (XLSX, XLS, ODS), best with a row of headings."),
        advice=gettext_lazy("Split it, or leave out columns that the text does not use."),
    )
    remove_file = forms.BooleanField(required=False, label=gettext_lazy("Use no file"))
    when = forms.ChoiceField(
        choices=WHEN, label=gettext_lazy("When"), required=False, widget=forms.RadioSelect
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Default country"),
        help_text=gettext_lazy("Of numbers without a country code."),
        required=False,
    )

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), help_text=gettext_lazy("Of the times on this page."), required=False
    )
    ends = forms.ChoiceField(
        choices=ENDS, label=gettext_lazy("Expires"), required=False, widget=forms.RadioSelect
    )
    validity_count = forms.IntegerField(label=gettext_lazy("How long"), required=False, min_value=1)
    validity_unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS, required=False)
    track = forms.ChoiceField(
        choices=TRACK, label=gettext_lazy("Clicks"), required=False, widget=forms.RadioSelect
    )
    check_consent = _as_the_group(gettext_lazy("Check consent"))
    apply_frequency_cap = _as_the_group(gettext_lazy("Apply the frequency cap"))
    allow_fallback_url = forms.BooleanField(
        required=False,
        label=gettext_lazy("Send the long link if shortening fails"),
        help_text=SendOptions._meta.get_field("allow_fallback_url").help_text,
    )

    class Meta:
        model = Draft
        fields = tuple(name for name in collaboration.EDITED if name in typed_in(name))
        labels = {  # noqa: RUF012 - Django's own spelling
            "audience": gettext_lazy("Saved audience"),
            "pasted": gettext_lazy("Numbers"),
            "column": gettext_lazy("Column of the numbers"),
            "allow_duplicates": gettext_lazy("Send to the same number more than once"),
            "send_at": gettext_lazy("Time"),
        }
        help_texts = {  # noqa: RUF012
            "name": gettext_lazy("For your team; recipients never see it."),
            "text": gettext_lazy("Placeholders like $(name) are filled from the columns of the file."),
            "pasted": gettext_lazy("One number per line. Any format works: 07700 900001, +44 7700 900001"),
            "column": gettext_lazy("Empty: found by its heading."),
            "labels": gettext_lazy(
                "Words by which your team sorts its sends and reports, with commas between them."
            ),
        }
        field_classes = {"send_at": WallClockField, "expires_at": WallClockField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "lane": forms.RadioSelect,
            "text": forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
            "pasted": forms.Textarea(attrs={"rows": 5, "inputmode": "tel"}),
            "callback_data": forms.TextInput(),
            "column": forms.TextInput(attrs={"list": "columns"}),
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        self.presets = time_zones.presets(service.time_zone)
        at = next((one.at for one in self.presets if one.name == self.data.get("preset")), None)
        if at is not None and isinstance(self.data, QueryDict):
            self.data = self.data.copy()
            self.data["when"], self.data["time_zone"] = "later", service.time_zone
            self.data["send_at"] = at.isoformat(timespec="minutes")
        for name, things, empty in (
            ("sender", service.senders.filter(active=True), _("Choose a sender")),
            ("template", service.templates.filter(active=True), _("No template: use the text")),
            ("policy_group", service.policy_groups.filter(active=True), _("No policy group")),
            ("link_domain", service.link_domains.filter(active=True), _("Leave links as they are")),
            ("audience", service.audiences.filter(archived_at=None), _("None: use numbers or a file")),
        ):
            field = self.fields[name]
            field.queryset, field.empty_label, field.required = things, empty, False  # type: ignore[attr-defined]
        for name, choices, default in (("lane", LANES, Lane.NORMAL), ("resend", RESENDS, Resend.NEVER)):
            field = self.fields[name]  # a program that knows nothing of them gets the default
            field.choices, field.empty_value, field.required = choices, default, False  # type: ignore[attr-defined]
        if service.quiet_hours:
            says = _("%(hours)s, by each recipient's clock. Messages wait for the morning.")
            self.fields["respect_quiet_hours"].help_text = says % {"hours": service.quiet_hours}
        else:
            del self.fields["respect_quiet_hours"]
        published = TemplateVersion.objects.filter(template__service=service, state=VersionState.PUBLISHED)
        self.wordings = list(published.filter(template__active=True).only("template", "language", "text"))
        languages = sorted({one.language for one in self.wordings if one.language})
        self.smartlinks = service.smartlinks.filter(active=True)[:50]
        if languages or self.instance.language:
            offered = sorted({*languages, self.instance.language} - {""})
            self.fields["language"] = forms.ChoiceField(
                choices=[("", _("The one without a language")), *((one, one) for one in offered)],
                required=False,
                label=_("Language of the template"),
            )
        else:
            del self.fields["language"]
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        if self.instance.upload is not None and self.instance.upload.withheld:
            # with another column chosen, the numbers would be values like any other; with another row, headings
            for name in ("column", *NAMES):
                self.fields[name].disabled = True
            says = _("These rows were copied from another send, so it stays the column of the numbers.")
            self.fields["column"].help_text = says
        self.kind_words = {one.names[0]: one.warning for one in DOUBTFUL}
        self.receipt_words = {one.name: f"{capfirst(gettext(str(words)))}." for one, words in WITHOUT.items()}
        self._times()
        if not self.instance.pk:
            self.initial["sender"] = service.senders.filter(active=True, is_default=True).first()
        self.initial["country"] = self.instance.country or service.default_country
        self.initial["when"] = "later" if self.instance.send_at else "now"
        asked = self.instance
        self.initial["track"] = "off" if not asked.shorten_links else "yes" if asked.track_clicks else "no"
        for name in ("check_consent", "apply_frequency_cap"):
            self.initial[name] = {True: "yes", False: "no", None: ""}[getattr(self.instance, name)]

    def _times(self) -> None:
        """Every time of the page is shown in the draft's zone, the viewer's where none was chosen."""
        draft, own = self.instance, timezone.get_current_timezone_name()
        self.zone = draft.time_zone if time_zones.is_zone(draft.time_zone) else own
        self.fields["time_zone"].choices = time_zones.choices(self.zone, own, self.service.time_zone)  # type: ignore[attr-defined]
        self.initial["time_zone"] = self.zone
        for name in ("send_at", "expires_at"):
            if at := getattr(draft, name):
                self.initial[name] = at.astimezone(ZoneInfo(or_utc(self.zone))).replace(tzinfo=None)
        self.initial["ends"] = "after" if draft.validity else "at" if draft.expires_at else "never"
        if draft.validity:
            unit = next(size for size in (3600, 60, 1) if draft.validity % size == 0)
            self.initial["validity_count"], self.initial["validity_unit"] = draft.validity // unit, str(unit)

    @property
    def now(self) -> dict[str, str]:
        """What each fold holds, in a few words, so that it need not be opened."""
        return wording.folds(self.instance, self.service)

    @property
    def other_options(self) -> list[Any]:
        """Options without a place of their own on the page."""
        names = [one.name for one in SendOptions.fields() if one.name not in PLACED]
        return [self[name] for name in names if name in self.fields]

    def clean(self) -> dict[str, Any]:
        """Times only where they are wanted, made exact in the chosen zone."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        zone = cleaned.get("time_zone") or self.zone
        if cleaned.get("when") != "later":
            cleaned["send_at"] = None
        elif not cleaned.get("send_at") and "send_at" not in self.errors:
            self._refuse("send_at", _("Give the day and time, or choose Now."))
        # a program that knows nothing of `ends` gives the time alone
        ends = cleaned.get("ends") or ("at" if cleaned.get("expires_at") else "never")
        if ends != "at":
            cleaned["expires_at"] = None
        elif not cleaned.get("expires_at") and "expires_at" not in self.errors:
            self._refuse("expires_at", _("Give the day and time, or choose that it never expires."))
        for name in ("send_at", "expires_at"):
            if at := cleaned.get(name):
                try:
                    cleaned[name] = time_zones.moment(at, zone)
                except forms.ValidationError as problem:
                    self.add_error(name, problem)
        # a zone means something only beside a time; without one the next reader's own is offered
        cleaned["time_zone"] = zone if cleaned.get("send_at") or cleaned.get("expires_at") else ""
        cleaned["validity"] = self._validity(cleaned) if ends == "after" else None
        # a box that is not ticked says nothing; only a program says no
        cleaned["allow_fallback_url"] = cleaned.get("allow_fallback_url") or None
        cleaned["shorten_links"] = cleaned.get("track") != "off"
        cleaned["track_clicks"] = cleaned.get("track") not in ("no", "off")
        if "fillings_shown" in self.data:  # what was chosen for placeholders that the page did not show stays
            cleaned["fillings"] = fillings_typed(self.data, self.instance.fillings)
        if "again_shown" in self.data:
            cleaned["again"] = text_of(self.data, "again", most=64)
        return cleaned

    def _validity(self, cleaned: dict[str, Any]) -> int | None:
        """Seconds; None, with the reason at its field, where they are not said."""
        if "validity_count" in self.errors:
            return self.instance.validity
        count = cleaned.get("validity_count")
        seconds = (count or 0) * int(cleaned.get("validity_unit") or 60)
        if not count:
            self._refuse("validity_count", _("Say how long, or choose that it never expires."))
        elif seconds > LONGEST_VALIDITY:
            says = _("At most 72 hours: no operator keeps trying for longer.")
            self._refuse("validity_count", says, code="out_of_range")
        else:
            return seconds
        return self.instance.validity

    def _refuse(self, name: str, says: str, *, code: str = "required") -> None:
        self.add_error(name, forms.ValidationError(says, code=code))

    def clean_file(self) -> Any:
        """A file that is plainly no table is refused at once, and the one before it stays in use."""
        file = self.cleaned_data["file"]
        if file:
            try:
                refuse_other_kind(io.BytesIO(file.read()), limits=upload_limits())
            except AudienceError as problem:
                says = _("“%(file)s” was not taken. %(why)s") % {
                    "file": file.name,
                    "why": retold(str(problem)),
                }
                raise forms.ValidationError(says, code=problem.problem.code) from None
            finally:
                file.seek(0)
        return file

    def clean_receipts(self) -> Receipts:
        """Where the page shows these fields, none ticked means none; a program that knows nothing of them gets the usual."""
        wanted: Receipts | None = self.cleaned_data["receipts"]
        if wanted is None and "receipts_shown" in self.data:
            raise forms.ValidationError(gettext(str(NONE)), code="required")
        return wanted or USUAL_RECEIPTS

    def _post_clean(self) -> None:
        """Django sets the fields of `Meta.fields` here; those that are typed in other fields follow."""
        super()._post_clean()  # type: ignore[misc]
        for name in ("validity", "shorten_links", "track_clicks", "fillings", "again"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
