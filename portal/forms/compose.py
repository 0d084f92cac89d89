"""The compose page's form. It keeps whatever was typed; whether that makes a send is the domain's to say."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from portal.forms import time_zones
from portal.forms.countries import countries
from portal.forms.time_zones import WallClockField
from portal.forms.uploads import UploadField
from portal.presenters import wording
from sms.compose.drafts import collaboration
from sms.compose.options import DEFAULT_RECEIPTS, RECEIPTS
from sms.models import Draft, Lane, Resend, Service, TemplateVersion, VersionState
from sms.webex.limits import LONGEST_VALIDITY

LANES = [(Lane.URGENT, "Urgent"), (Lane.NORMAL, "Normal"), (Lane.BULK, "Bulk")]
RESENDS = [
    (Resend.NEVER, "Wait for its receipt, or for a person (recommended)"),
    (Resend.EVIDENCE, "Send again only if the receipts of others show that it was not sent"),
    (Resend.ALWAYS, "Send again after ten seconds, once: it may arrive twice. Needs an expiry"),
]
# The fields of the page in which a field of the draft is typed, where it is not one of the same name.
TYPED_IN: dict[str, tuple[str, ...]] = {
    "send_at": ("when", "send_at"),
    "expires_at": ("ends", "expires_at"),
    "validity": ("ends", "validity_count", "validity_unit"),
    "track_clicks": ("track",),
    "upload": (),
    "fillings": (),
    "again": (),
}
AS_THE_GROUP = [("", "As the group says"), ("yes", "Yes"), ("no", "No")]
UNITS = [("60", "minutes"), ("3600", "hours"), ("1", "seconds")]
ENDS = [("never", "Never"), ("at", "At a time"), ("after", "After a while")]


def _is_yes(answer: str) -> bool:
    return answer == "yes"


def typed_in(name: str) -> tuple[str, ...]:
    """The fields of the page for a field of the draft; none for one that is typed elsewhere than in this form's fields."""
    return TYPED_IN.get(name, (name,))


def fillings_typed(typed: Any, stored: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """`{"name": {"column": "Customer", "fallback": "friend"}}` from three lists of fields, one entry each for every placeholder."""
    lists = [typed.getlist(f"filling_{part}") for part in ("name", "column", "fallback")]
    kept = {name: dict(one) for name, one in stored.items() if name not in lists[0]}
    for name, column, fallback in list(zip(*lists, strict=False))[:100]:
        source = {"column": column[:200], "fallback": fallback.strip()[:500]}
        if source := {part: value for part, value in source.items() if value}:
            kept[name[:200]] = source
    return kept


class DraftForm(forms.ModelForm):
    file = UploadField(
        required=False,
        label="File",
        help_text="CSV or XLSX with a heading row.",
        advice="Split it, or leave out columns that the text does not use.",
    )
    remove_file = forms.BooleanField(required=False, label="Use no file")
    when = forms.ChoiceField(
        choices=(("now", "Now"), ("later", "At a time")),
        label="When",
        required=False,
        widget=forms.RadioSelect,
    )
    country = forms.ChoiceField(
        label="Default country", help_text="Of numbers without a country code.", required=False
    )

    time_zone = forms.ChoiceField(label="Time zone", help_text="Of the times on this page.", required=False)
    ends = forms.ChoiceField(choices=ENDS, label="Expires", required=False, widget=forms.RadioSelect)
    validity_count = forms.IntegerField(label="How long", required=False, min_value=1)
    validity_unit = forms.ChoiceField(label="Unit", choices=UNITS, required=False)
    track = forms.ChoiceField(
        choices=[("yes", "Count clicks"), ("no", "Only shorten")],
        label="Clicks",
        required=False,
        widget=forms.RadioSelect,
    )
    check_consent = forms.TypedChoiceField(
        label="Check consent", choices=AS_THE_GROUP, coerce=_is_yes, empty_value=None, required=False
    )
    apply_frequency_cap = forms.TypedChoiceField(
        label="Apply the frequency cap",
        choices=AS_THE_GROUP,
        coerce=_is_yes,
        empty_value=None,
        required=False,
    )
    receipts = forms.MultipleChoiceField(
        choices=[(one, one.capitalize()) for one in RECEIPTS],
        label="Receipts to ask for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Draft
        fields = tuple(name for name in collaboration.EDITED if name in typed_in(name))
        labels = {  # noqa: RUF012 - Django's own spelling
            "name": "Name",
            "text": "Text",
            "audience": "Saved audience",
            "pasted": "Numbers",
            "column": "Column of the numbers",
            "allow_duplicates": "Send to the same number more than once",
            "policy_group": "Contact-policy group",
            "link_domain": "Short-link domain",
            "send_at": "Time",
            "expires_at": "Expires at",
            "labels": "Labels",
            "tag1": "First tag",
            "tag2": "Second tag",
            "callback_data": "Callback data",
            "lane": "Lane",
            "resend": "If we cannot tell whether it was sent",
            "ramp": "Start small",
            "respect_quiet_hours": "Respect quiet hours",
        }
        help_texts = {  # noqa: RUF012
            "name": "For your team; recipients never see it.",
            "text": "Placeholders like $(name) are filled from the columns of the file.",
            "pasted": "One number per line. Any format works: 07700 900001, +44 7700 900001",
            "column": "Empty: found by its heading.",
            "policy_group": "Webex Connect then checks consent or frequency before it sends.",
            "link_domain": "Shortens https links and counts clicks. Some operators filter short links.",
            "expires_at": "After this nothing more of it is posted.",
            "labels": "Words by which your team sorts its sends and reports, with commas between them.",
            "tag1": "Counted in Webex Connect's own reports on links. Letters, digits, _ and -.",
            "callback_data": "Comes back unchanged in every receipt; up to 1,500 characters, the same for all recipients.",
            "lane": "Where there is not room for all, urgent goes first and bulk last.",
            "resend": "The connection can break while a message is being sent. Then we cannot tell whether the message was sent.",
            "ramp": "1 % first, then 10 %, then the rest, each only once the last went well. From 100 recipients on.",
        }
        field_classes = {"send_at": WallClockField, "expires_at": WallClockField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "lane": forms.RadioSelect,
            "text": forms.Textarea(attrs={"rows": 6}),
            "pasted": forms.Textarea(attrs={"rows": 5, "inputmode": "tel"}),
            "callback_data": forms.TextInput(),
            "column": forms.TextInput(attrs={"list": "columns"}),
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        for name, things, empty in (
            ("sender", service.senders.filter(active=True), "Choose a sender"),
            ("template", service.templates.filter(active=True), "No template: use the text"),
            ("policy_group", service.policy_groups.filter(active=True), "No policy group"),
            ("link_domain", service.link_domains.filter(active=True), "Leave links as they are"),
            ("audience", service.audiences.filter(archived_at=None), "None: use numbers or a file"),
        ):
            field = self.fields[name]
            field.queryset, field.empty_label, field.required = things, empty, False  # type: ignore[attr-defined]
        for name, choices, default in (("lane", LANES, Lane.NORMAL), ("resend", RESENDS, Resend.NEVER)):
            field = self.fields[name]  # a program that knows nothing of them gets the default
            field.choices, field.empty_value, field.required = choices, default, False  # type: ignore[attr-defined]
        if service.quiet_hours:
            self.fields[
                "respect_quiet_hours"
            ].help_text = f"{service.quiet_hours}, by each recipient's clock. Messages wait for the morning."
        else:
            del self.fields["respect_quiet_hours"]
        published = TemplateVersion.objects.filter(template__service=service, state=VersionState.PUBLISHED)
        self.wordings = list(published.filter(template__active=True).only("template", "language", "text"))
        languages = sorted({one.language for one in self.wordings if one.language})
        self.smartlinks = service.smartlinks.filter(active=True)[:50]
        if languages or self.instance.language:
            offered = sorted({*languages, self.instance.language} - {""})
            self.fields["language"] = forms.ChoiceField(
                choices=[("", "The one without a language"), *((one, one) for one in offered)],
                required=False,
                label="Language of the template",
            )
        else:
            del self.fields["language"]
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.receipt_words = {one: f"{words[0].upper()}{words[1:]}." for one, words in RECEIPTS.items()}
        self._times()
        if not self.instance.pk:
            self.initial["sender"] = service.senders.filter(active=True, is_default=True).first()
        self.initial["country"] = self.instance.country or service.default_country
        self.initial["when"] = "later" if self.instance.send_at else "now"
        self.initial["track"] = "yes" if self.instance.track_clicks else "no"
        for name in ("check_consent", "apply_frequency_cap"):
            self.initial[name] = {True: "yes", False: "no", None: ""}[getattr(self.instance, name)]
        self.initial["receipts"] = self.instance.receipts or list(DEFAULT_RECEIPTS)

    def _times(self) -> None:
        """Every time of the page is shown in the draft's zone, the viewer's where none was chosen."""
        draft, own = self.instance, timezone.get_current_timezone_name()
        self.zone = draft.time_zone if time_zones.is_zone(draft.time_zone) else own
        self.fields["time_zone"].choices = time_zones.choices(self.zone, own, self.service.time_zone)  # type: ignore[attr-defined]
        self.initial["time_zone"] = self.zone
        for name in ("send_at", "expires_at"):
            if at := getattr(draft, name):
                self.initial[name] = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        self.initial["ends"] = "after" if draft.validity else "at" if draft.expires_at else "never"
        if draft.validity:
            unit = next(size for size in (3600, 60, 1) if draft.validity % size == 0)
            self.initial["validity_count"], self.initial["validity_unit"] = draft.validity // unit, str(unit)

    @property
    def now(self) -> dict[str, str]:
        """What each fold holds, in a few words, so that it need not be opened."""
        return wording.folds(self.instance, self.service)

    def clean(self) -> dict[str, Any]:
        """Times only where they are wanted, made exact in the chosen zone."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        zone = cleaned.get("time_zone") or self.zone
        if cleaned.get("when") != "later":
            cleaned["send_at"] = None
        elif not cleaned.get("send_at") and "send_at" not in self.errors:
            self.add_error("send_at", "Give the day and time, or choose Now.")
        # a program that knows nothing of `ends` gives the time alone
        ends = cleaned.get("ends") or ("at" if cleaned.get("expires_at") else "never")
        if ends != "at":
            cleaned["expires_at"] = None
        elif not cleaned.get("expires_at") and "expires_at" not in self.errors:
            self.add_error("expires_at", "Give the day and time, or choose that it never expires.")
        for name in ("send_at", "expires_at"):
            if at := cleaned.get(name):
                try:
                    cleaned[name] = time_zones.moment(at, zone)
                except forms.ValidationError as problem:
                    self.add_error(name, problem)
        # a zone means something only beside a time; without one the next reader's own is offered
        cleaned["time_zone"] = zone if cleaned.get("send_at") or cleaned.get("expires_at") else ""
        cleaned["validity"] = self._validity(cleaned) if ends == "after" else None
        cleaned["track_clicks"] = cleaned.get("track") != "no"
        if "fillings_shown" in self.data:  # what was chosen for placeholders that the page did not show stays
            cleaned["fillings"] = fillings_typed(self.data, self.instance.fillings)
        if "again_shown" in self.data:
            cleaned["again"] = str(self.data.get("again", ""))[:64]
        return cleaned

    def _validity(self, cleaned: dict[str, Any]) -> int | None:
        """Seconds; None, with the reason at its field, where they are not said."""
        if "validity_count" in self.errors:
            return self.instance.validity
        count = cleaned.get("validity_count")
        seconds = (count or 0) * int(cleaned.get("validity_unit") or 60)
        if not count:
            self.add_error("validity_count", "Say how long, or choose that it never expires.")
        elif seconds > LONGEST_VALIDITY:
            self.add_error("validity_count", "At most 72 hours: no operator keeps trying for longer.")
        else:
            return seconds
        return self.instance.validity

    def clean_receipts(self) -> list[str]:
        """Where the page shows these fields, none ticked means none; a program that knows nothing of them gets the usual."""
        wanted: list[str] = self.cleaned_data["receipts"]
        if not wanted and "receipts_shown" in self.data:
            raise forms.ValidationError(
                "Ask for at least one. Without receipts the state of a message stays unknown."
            )
        return [] if set(wanted) == set(DEFAULT_RECEIPTS) else wanted

    def _post_clean(self) -> None:
        """Django sets the fields of `Meta.fields` here; those that are typed in other fields follow."""
        super()._post_clean()  # type: ignore[misc]
        for name in ("validity", "track_clicks", "fillings", "again"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
