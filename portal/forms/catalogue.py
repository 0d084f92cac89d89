"""Forms of the catalogue pages: senders, contact-policy groups and their connection, smartlinks, short-link domains, templates."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.db import transaction

from sms.catalogue import domains
from sms.catalogue.placeholder_rules import KINDS, Placeholder, placeholders_of
from sms.catalogue.templates import Wording
from sms.models import (
    ContactPolicyGroup,
    PolicyConnection,
    Sender,
    Service,
    ShortLinkDomain,
    Smartlink,
    TemplateVersion,
)
from sms.values import text


class NounForm(forms.ModelForm):
    """A thing of a service. `ONCE` are the fields that no other thing of the service may have alike."""

    ONCE: tuple[str, ...] = ("name",)

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.service = service
        self.service = service

    def clean(self) -> dict[str, Any]:
        """Duplicates are named, archived ones too."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        others = (
            type(self.instance)._default_manager.filter(service=self.service).exclude(pk=self.instance.pk)
        )
        for name in self.ONCE:
            value = cleaned.get(name)
            lookup = f"{name}__iexact" if isinstance(value, str) else name
            if value and (other := others.filter(**{lookup: value}).first()):
                archived = "" if other.active else ", archived"
                self.add_error(
                    name, f"“{value}” is in the catalogue already{archived}. Change that one instead."
                )
        return cleaned


class SenderForm(NounForm):
    """A sender; its rules are `Sender.clean`'s."""

    ONCE = ("address",)

    class Meta:
        model = Sender
        fields = ("kind", "address", "countries", "registration", "is_default", "note")
        labels = {"is_default": "Offer it first in compose"}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "address": "As it is provisioned: a number with its country code and without +, or a name."
        }

    def save(self, commit: bool = True) -> Sender:
        """There is one default, so the one before stops being it."""
        with transaction.atomic():
            if self.instance.is_default:
                others = Sender.objects.filter(service=self.service).exclude(pk=self.instance.pk)
                others.update(is_default=False)
            saved: Sender = super().save(commit)
        return saved


class GroupForm(NounForm):
    """A contact-policy group."""

    class Meta:
        model = ContactPolicyGroup
        fields = ("name", "group_id", "check_consent", "apply_frequency_cap", "description")

    def clean(self) -> dict[str, Any]:
        """At least one of the two checks."""
        cleaned = super().clean()
        if not (cleaned.get("check_consent") or cleaned.get("apply_frequency_cap")):
            self.add_error(
                "check_consent", "Tick at least one: require opt-in, or enforce the frequency cap."
            )
        return cleaned


class SmartlinkForm(NounForm):
    """A smartlink."""

    ONCE = ("name", "smartlink_id")

    class Meta:
        model = Smartlink
        fields = ("name", "smartlink_id", "validity")


class LinkDomainForm(NounForm):
    """A short-link domain. Another name or region is another domain to check."""

    ONCE = ("host",)

    class Meta:
        model = ShortLinkDomain
        fields = ("host", "region")
        labels = {"host": "Domain"}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "host": "The name that people see in the link, like go.example.com. Webex Connect must know it too.",
            "region": "Of your tenant: it decides where the DNS record points to.",
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, service=service, **kwargs)
        if self.instance.pk is None:
            self.initial.setdefault("region", service.region_id)

    def clean_host(self) -> str:
        """As it is looked up."""
        try:
            return domains.usable(self.cleaned_data["host"], own=settings.PUBLIC_HOST)
        except domains.BadName as problem:
            raise forms.ValidationError(str(problem)) from None

    def save(self, commit: bool = True) -> ShortLinkDomain:
        """What was seen of another name is forgotten; the history stays."""
        domain: ShortLinkDomain = self.instance
        if domain.pk is not None and self.changed_data:
            domain.forget()
        saved: ShortLinkDomain = super().save(commit)
        return saved


class PolicyConnectionForm(forms.ModelForm):
    """Where Contact Policy is asked. The key is written and never read back."""

    profile_key = forms.CharField(
        required=False,
        label="Profile key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Of the tenant, not of the service. Empty keeps the one that is stored.",
    )

    class Meta:
        model = PolicyConnection
        fields = ("base_url", "profile_key")

    def clean_base_url(self) -> str:
        """A whole https address; plain http only to this host."""
        url = str(self.cleaned_data.get("base_url") or "").rstrip("/")
        try:
            parts = urlsplit(url)
            here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        except ValueError:
            raise forms.ValidationError("That is not an address.") from None
        if url and (not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here))):
            raise forms.ValidationError("Write the whole address, beginning with https://.")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise forms.ValidationError(
                "Leave user names, passwords and anything after ? or # out of the address."
            )
        return url

    def clean(self) -> dict[str, Any]:
        """A stored key goes to no new address."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stored = PolicyConnection.objects.filter(pk=self.instance.pk).first()
        if not cleaned.get("profile_key"):
            if stored and stored.profile_key and "base_url" in self.changed_data:
                self.add_error("profile_key", "Type it again: a stored key is never sent to a new address.")
            cleaned["profile_key"] = stored.profile_key if stored else ""
        return cleaned


class WordingForm(forms.Form):
    """What a version of a template says. Placeholders are lines: name | kind | example | fallback | longest."""

    name = forms.RegexField(
        r"^[a-z0-9_]+$",
        max_length=60,
        label="Name",
        help_text="Lower-case letters, digits and underscores, like order_shipped.",
        error_messages={"invalid": "Use lower-case letters, digits and underscores."},
    )
    language = forms.RegexField(
        r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        required=False,
        label="Language",
        help_text="Like de or pt-BR. Empty: the wording that is used where no language is chosen.",
        error_messages={"invalid": "Write a language like de or pt-BR."},
    )
    text = forms.CharField(
        required=False,
        max_length=4000,
        label="Text",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Placeholders are written $(name).",
    )
    provider_id = forms.CharField(
        required=False,
        max_length=64,
        label="Provider template id",
        help_text="Instead of a text, where Webex Connect keeps the template.",
    )
    placeholders = forms.CharField(
        required=False,
        max_length=8000,
        label="Placeholders",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One per line: name | text, number, date or link | example | fallback | longest. Only the name is needed.",
    )

    def __init__(
        self, *args: Any, version: TemplateVersion | None = None, named: bool = True, **kwargs: Any
    ) -> None:
        if version is not None:
            lines = [
                f"{one.name} | {one.kind} | {one.example} | {one.fallback} | {one.max_length or ''}".rstrip(
                    " |"
                )
                for one in placeholders_of(version)
            ]
            kwargs["initial"] = {
                "language": version.language,
                "text": version.text,
                "provider_id": version.provider_template_id,
                "placeholders": "\n".join(lines),
            }
        super().__init__(*args, **kwargs)
        if named:
            del self.fields["language"]
        else:
            del self.fields["name"]

    def clean_text(self) -> str:
        """Line ends as phones know them."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean_placeholders(self) -> list[Placeholder]:
        """Each line as a Hole."""
        holes: dict[str, Placeholder] = {}
        for number, line in enumerate(self.cleaned_data["placeholders"].splitlines(), start=1):
            if not line.strip():
                continue
            cells = [cell.strip() for cell in line.split("|")]
            name, kind, example, fallback, longest = (*cells, "", "", "", "", "")[:5]
            name = name.removeprefix("$(").removesuffix(")").strip()
            if len(cells) > 5:
                raise forms.ValidationError(f"Line {number} has more than five parts.")
            if not name or len(name) > 200:
                raise forms.ValidationError(f"Line {number} begins with the name of a placeholder.")
            if (kind := kind.lower() or "text") not in KINDS:
                raise forms.ValidationError(
                    f"Line {number}: “{kind[:30]}” is none of text, number, date and link."
                )
            if longest and not (longest.isascii() and longest.isdecimal() and 0 < int(longest[:6]) <= 4000):
                raise forms.ValidationError(
                    f"Line {number}: the longest is a number of characters, 1 to 4,000."
                )
            if text.match_key(name) in holes:
                raise forms.ValidationError(f"Line {number} names $({name}) a second time.")
            holes[text.match_key(name)] = Placeholder(name, kind, example, fallback, int(longest or 0))
        return list(holes.values())

    def clean(self) -> dict[str, Any]:
        """Placeholders that the text does not use are a mistake in one of the two."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        written = cleaned.get("text", "")
        used = {text.match_key(name) for name in text.placeholders(written)}
        for hole in cleaned.get("placeholders") or ():
            if written and text.match_key(hole.name) not in used:
                self.add_error(
                    "placeholders", f"The text does not use $({hole.name}). Take the line out, or use it."
                )
        return cleaned

    def wording(self) -> Wording:
        """Of a valid form."""
        data = self.cleaned_data
        return Wording(data["text"], data["provider_id"], data.get("language", ""), data["placeholders"])
