"""The compose page's form. It keeps whatever was typed; whether that makes a send is the domain's to say."""

from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from portal import wording
from portal.forms.local_time import LocalTimeField
from portal.limits import upload_limits
from sms import drafts
from sms.models import Draft, Lane, Resend, Service, TemplateVersion, Upload, VersionState

LANES = [(Lane.URGENT, "Urgent"), (Lane.NORMAL, "Normal"), (Lane.BULK, "Bulk")]
RESENDS = [
    (Resend.NEVER, "Wait for its receipt, or for a person (recommended)"),
    (Resend.EVIDENCE, "Send again only if the receipts of others show that it was not sent"),
    (Resend.ALWAYS, "Send again after ten seconds, once: it may arrive twice. Needs an expiry"),
]


def countries() -> list[tuple[str, str]]:
    """ISO codes with their calling codes, as a select offers them."""
    known = (
        (code, phonenumbers.country_code_for_region(code)) for code in sorted(phonenumbers.SUPPORTED_REGIONS)
    )
    return [(code, f"{code} +{calling}") for code, calling in known]


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

    class Meta:
        model = Draft
        fields = (
            "name",
            "sender",
            "text",
            "template",
            "language",
            "audience",
            "pasted",
            "column",
            "country",
            "allow_duplicates",
            "policy_group",
            "link_domain",
            "send_at",
            "expires_at",
            "lane",
            "resend",
            "ramp",
            "respect_quiet_hours",
        )
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
            "expires_at": "Expires",
            "lane": "Lane",
            "resend": "If a message is not confirmed",
            "ramp": "Start small",
            "respect_quiet_hours": "Respect quiet hours",
        }
        help_texts = {  # noqa: RUF012
            "name": "For your team; recipients never see it.",
            "text": "Placeholders like $(name) are filled from the columns of the file.",
            "pasted": "One per line, in any way of writing them.",
            "column": "Empty: found by its heading.",
            "policy_group": "Webex Connect then checks consent or frequency before it sends.",
            "link_domain": "Shortens https links and counts clicks. Some operators filter short links.",
            "expires_at": "After this nothing more of it is posted. Empty means never.",
            "lane": "Where there is not room for all, urgent goes first and bulk last.",
            "resend": "The connection can break while a message is being sent. Then nobody knows whether it was sent.",
            "ramp": "1 % first, then 10 %, then the rest, each only once the last went well. From 100 recipients on.",
        }
        field_classes = {"send_at": LocalTimeField, "expires_at": LocalTimeField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "lane": forms.RadioSelect,
            "text": forms.Textarea(attrs={"rows": 6}),
            "pasted": forms.Textarea(attrs={"rows": 5, "inputmode": "tel"}),
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
        if not self.instance.pk:
            self.initial["sender"] = service.senders.filter(active=True, is_default=True).first()
        self.initial["country"] = self.instance.country or service.default_country
        self.initial["when"] = "later" if self.instance.send_at else "now"

    @property
    def replaceable(self) -> str:
        """What GSM-7 has something for, in words; empty where there is nothing to replace."""
        return wording.replaceable(str(self["text"].value() or ""))

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

    def clean(self) -> dict[str, Any]:
        """A time only where one is wanted."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("when") != "later":
            cleaned["send_at"] = None
        elif not cleaned.get("send_at") and "send_at" not in self.errors:
            self.add_error("send_at", "Give the day and time, or choose Now.")
        return cleaned

    def keep(self, *, user: Any) -> Draft:
        """Save whatever can be saved, errors or not, so that nothing typed is lost."""
        draft: Draft = self.instance
        stored = None if draft.pk is None else Draft.objects.get(pk=draft.pk)
        for name in self.Meta.fields:
            if name in self.errors:  # the typed value cannot be stored; the last good one stays
                setattr(draft, name, getattr(stored or Draft(service=self.service), name))
        draft.service = self.service
        if draft.pk is None:
            draft.created_by = user
        file = self.cleaned_data.get("file")
        if file is not None:
            draft.upload = Upload.keep(file.read(), service=self.service, name=file.name or "file", user=user)
            draft.column = "" if stored and stored.upload and stored.column == draft.column else draft.column
            drafts.recall(draft, limits=upload_limits())
        elif self.cleaned_data.get("remove_file"):
            draft.upload = None
        if draft.pk is None:
            draft.save()
        else:  # never `send`: only sending writes it, or a draft that was just sent could be sent again
            draft.save(update_fields=[*self.Meta.fields, "upload", "fillings", "changed_at"])
        return draft
