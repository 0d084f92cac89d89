"""The compose page's form. It keeps whatever was typed; whether that makes a send is the domain's to say."""

from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from portal.forms import time_zones
from portal.forms.time_zones import WallClockField
from portal.limits import upload_limits
from portal.presenters import wording
from sms.compose import drafts
from sms.compose.drafts import collaboration
from sms.compose.options import DEFAULT_RECEIPTS, LONGEST_VALIDITY, RECEIPTS
from sms.models import Draft, Lane, Resend, Service, TemplateVersion, Upload, VersionState

LANES = [(Lane.URGENT, "Urgent"), (Lane.NORMAL, "Normal"), (Lane.BULK, "Bulk")]
RESENDS = [
    (Resend.NEVER, "Wait for its receipt, or for a person (recommended)"),
    (Resend.EVIDENCE, "Send again only if the receipts of others show that it was not sent"),
    (Resend.ALWAYS, "Send again after ten seconds, once: it may arrive twice. Needs an expiry"),
]
SEVERAL = ("upload", "validity", "receipts", "track_clicks", "fillings", "again")  # made from several fields
AS_THE_GROUP = [("", "As the group says"), ("yes", "Yes"), ("no", "No")]
UNITS = [("60", "minutes"), ("3600", "hours"), ("1", "seconds")]
ENDS = [("never", "Never"), ("at", "At a time"), ("after", "After a while")]


def countries() -> list[tuple[str, str]]:
    """ISO codes with their calling codes, as a select offers them."""
    known = (
        (code, phonenumbers.country_code_for_region(code)) for code in sorted(phonenumbers.SUPPORTED_REGIONS)
    )
    return [(code, f"{code} +{calling}") for code, calling in known]


def fillings_typed(typed: Any, stored: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """`{"name": {"column": "Customer", "fallback": "friend"}}` from three lists of fields, one entry each for every placeholder."""
    lists = [typed.getlist(f"filling_{part}") for part in ("name", "column", "fallback")]
    kept = {name: dict(one) for name, one in stored.items() if name not in lists[0]}
    for name, column, fallback in list(zip(*lists, strict=False))[:100]:
        filling = {"column": column[:200], "fallback": fallback.strip()[:500]}
        if filling := {part: value for part, value in filling.items() if value}:
            kept[name[:200]] = filling
    return kept


class DraftForm(forms.ModelForm):
    """Everything on the compose page."""

    file = forms.FileField(required=False, label="File", help_text="CSV or XLSX with a heading row.")
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
    check_consent = forms.ChoiceField(label="Check consent", choices=AS_THE_GROUP, required=False)
    apply_frequency_cap = forms.ChoiceField(
        label="Apply the frequency cap", choices=AS_THE_GROUP, required=False
    )
    receipts = forms.MultipleChoiceField(
        choices=[(one, one.capitalize()) for one in RECEIPTS],
        label="Receipts to ask for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Draft
        fields = tuple(name for name in collaboration.EDITED if name not in SEVERAL)
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
            "callback_data": "Comes back unchanged in every receipt; up to 1,500 characters, the same for everybody.",
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
        for name, choices in (("lane", LANES), ("resend", RESENDS)):
            self.fields[name].required = False  # a program that knows nothing of them gets the default
            self.fields[name].choices = choices  # type: ignore[attr-defined]
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
        """What each fold holds, in a few words, so that nobody has to open it to see."""
        return wording.folds(self.instance, self.service)

    def clean_file(self) -> UploadedFile | None:
        """Too large a file is refused before anything reads it."""
        file: UploadedFile | None = self.cleaned_data.get("file")
        limit = settings.UPLOAD_MAX_BYTES
        if file is not None and (file.size or 0) > limit:
            raise forms.ValidationError(
                f"{file.name} has {(file.size or 0) / 1_000_000:.1f} MB; {limit / 1_000_000:.0f} MB are allowed. "
                "Split it, or leave out columns that the text does not use."
            )
        return file

    def clean_lane(self) -> int:
        """Normal unless chosen."""
        lane = self.cleaned_data.get("lane")
        return int(Lane.NORMAL if lane in (None, "") else lane)

    def clean_resend(self) -> str:
        """Never unless chosen."""
        return str(self.cleaned_data.get("resend") or Resend.NEVER)

    def _flag(self, name: str) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data.get(name) or "")

    def clean_check_consent(self) -> bool | None:
        """None: as the group says."""
        return self._flag("check_consent")

    def clean_apply_frequency_cap(self) -> bool | None:
        """None: as the group says."""
        return self._flag("apply_frequency_cap")

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
        self._validity(cleaned, wanted=ends == "after")
        return cleaned

    def _validity(self, cleaned: dict[str, Any], *, wanted: bool) -> None:
        if not wanted:
            self.instance.validity = None
        if not wanted or "validity_count" in self.errors:
            return
        count = cleaned.get("validity_count")
        seconds = (count or 0) * int(cleaned.get("validity_unit") or 60)
        if not count:
            self.add_error("validity_count", "Say how long, or choose that it never expires.")
        elif seconds > LONGEST_VALIDITY:
            self.add_error("validity_count", "At most 72 hours: no operator keeps trying for longer.")
        else:
            self.instance.validity = seconds

    def _asked(self) -> None:
        """Where the page shows these fields, none ticked means none; a program that knows nothing of them gets the usual."""
        cleaned = self.cleaned_data
        self.instance.track_clicks = cleaned.get("track") != "no"
        if "receipts" in self.errors:
            return
        wanted = cleaned.get("receipts") or []
        if not wanted and "receipts_shown" not in self.data:
            wanted = list(DEFAULT_RECEIPTS)
        if not wanted:
            self.add_error("receipts", "Ask for at least one, or nobody learns what became of a message.")
        self.instance.receipts = [] if set(wanted) in (set(), set(DEFAULT_RECEIPTS)) else wanted

    def _fill(self) -> None:
        """What fills each placeholder that the page showed; what was chosen for others stays."""
        if "fillings_shown" in self.data:
            self.instance.fillings = fillings_typed(self.data, self.instance.fillings)
        if "again_shown" in self.data:
            self.instance.again = str(self.data.get("again", ""))[:64]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self._asked()
        self._fill()

    def keep(
        self, *, user: Any, base: Mapping[str, str] | None = None, theirs: Collection[str] = ()
    ) -> collaboration.Saved:
        """Save whatever can be saved, errors or not, so that nothing typed is lost; see `drafting.save`."""
        draft: Draft = self.instance
        stored = None if draft.pk is None else Draft.objects.get(pk=draft.pk)
        for name in self.Meta.fields:
            if name in self.errors:  # the typed value cannot be stored; the last good one stays
                setattr(draft, name, getattr(stored or Draft(service=self.service), name))
        draft.service = self.service
        if draft.pk is None:
            draft.created_by = draft.changed_by = user
        file = self.cleaned_data.get("file")
        if file is not None:
            draft.upload = Upload.keep(file.read(), service=self.service, name=file.name or "file", user=user)
            draft.column = "" if stored and stored.upload and stored.column == draft.column else draft.column
            drafts.recall_columns(draft, limits=upload_limits())
        elif self.cleaned_data.get("remove_file"):
            draft.upload = None
        if draft.pk is None:
            draft.revision = 1
            draft.save()
            return collaboration.Saved(draft, changed=True)
        # never `send`: only sending writes it, or a draft that was just sent could be sent again
        return collaboration.save(draft, base=base or {}, user=user, theirs=theirs)
