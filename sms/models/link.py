"""Short links: the provider's regions with their DNS targets, our link domains, and clicks; and smartlinks, made in its console."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import CASCADE, PROTECT, CheckConstraint, Q, Sum, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData
from sms.webex.limits import LONGEST_SMARTLINK

# The provider's own short domains, which every tenant of the region may use (reference §10.1).
SHARED = frozenset(
    {
        *(f"{region}.wbxc.io" for region in ("ca", "eu", "uk", "in", "us", "sg", "au")),
        *("s.imiconnect.co", "s-us.imiconnect.io", "s.imiconnect.eu"),
    }
)


class Region(models.Model):
    """A Webex Connect region. Data, seeded from the provider's table and editable, because targets change without notice.

    Short-link domains point to `cname`, or to `a_record` where the region has an address instead (Azure US).
    """

    audit_noun = "region"

    key = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    host = models.CharField(_("API host"), max_length=120, help_text=_("For example api.uk.webexconnect.io"))
    host_documented = models.BooleanField(
        default=True,
        help_text=_("Off where the provider's documents do not name the host, so that it is a guess."),
    )
    cname = models.CharField(_("CNAME target"), max_length=200, blank=True)
    a_record = models.GenericIPAddressField(_("A record"), null=True, blank=True, protocol="IPv4")

    personal = PersonalData(team="key name host cname a_record")

    class Meta:
        ordering = ("name",)
        constraints = (
            CheckConstraint(
                name="region_has_a_cname_or_an_a_record_but_not_both",
                condition=(Q(cname="") & Q(a_record__isnull=False))
                | (~Q(cname="") & Q(a_record__isnull=True)),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def dns_target(self) -> str:
        return self.cname or str(self.a_record)

    @property
    def dns_kind(self) -> str:
        return "CNAME" if self.cname else "A"


class DomainState(models.TextChoices):
    """What the last check made of a short-link domain; in order from best to worst, and `unchecked` before all."""

    UNCHECKED = "unchecked", _("Not checked yet")
    HEALTHY = "healthy", _("Healthy")
    DEGRADED = "degraded", _("Degraded")
    PENDING = "pending", _("Pending")
    NOT_SET_UP = "not_set_up", _("Not set up")
    BROKEN = "broken", _("Broken")


class ShortLinkDomain(models.Model):
    """A host name that Webex Connect shortens our links on. `sms.catalogue.domains.check` writes its state."""

    audit_noun = "short-link domain"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="link_domains")
    region = models.ForeignKey(Region, on_delete=PROTECT, related_name="link_domains")
    host = models.CharField(max_length=253, help_text=_("Only the host name, for example go.example.com"))
    active = models.BooleanField(default=True)
    state = models.CharField(
        max_length=12, choices=DomainState, default=DomainState.UNCHECKED, editable=False
    )
    says = models.TextField(
        blank=True, editable=False, help_text=_("The state in a sentence, with the way out.")
    )
    findings = models.JSONField(
        default=list, editable=False, help_text="level, part and text of each line of the last check."
    )
    since = models.DateTimeField(null=True, editable=False, help_text=_("When the state became what it is."))
    checked_at = models.DateTimeField(null=True, editable=False)
    worked = models.BooleanField(
        default=False, editable=False, help_text="It was healthy or degraded before."
    )

    personal = PersonalData(team="host state says findings")

    class Meta:
        verbose_name = _("short-link domain")
        ordering = ("host",)
        constraints = (
            UniqueConstraint(fields=("service", "host"), name="link_domain_is_listed_once_per_service"),
        )

    def __str__(self) -> str:
        return self.host

    def clean(self) -> None:
        """One that was used keeps its name: old sends show what was really in their links."""
        stored = type(self).objects.filter(pk=self.pk).exclude(host=self.host).first() if self.pk else None
        if stored is not None and stored.sends.exists():
            says = gettext(
                "Links went out on %(old)s, so it keeps its name. Add %(new)s as a domain of its own, and archive %(old)s."
            )
            raise ValidationError({"host": says % {"old": stored, "new": self.host}})

    @property
    def target(self) -> tuple[str, str]:
        """Kind and value of the DNS record that it needs; no value where it is the provider's own and needs none."""
        return self.region.dns_kind, "" if self.is_shared else self.region.dns_target

    def forget(self) -> None:
        """What was seen was of another name or region. The history stays; the caller saves."""
        self.state, self.says, self.findings = DomainState.UNCHECKED, "", []
        self.worked, self.checked_at, self.since = False, None, None

    @property
    def is_shared(self) -> bool:
        """One of the provider's own domains, which are every tenant's."""
        return self.host in SHARED

    @property
    def url(self) -> str:
        """As the provider wants it in `options.domain`."""
        return f"https://{self.host}"


class DomainChange(models.Model):
    """A short-link domain became something else. Only added, with the time of the check that saw it."""

    domain = models.ForeignKey(ShortLinkDomain, on_delete=CASCADE, related_name="changes")
    at = models.DateTimeField()
    old = models.CharField(max_length=12, choices=DomainState)
    new = models.CharField(max_length=12, choices=DomainState)
    says = models.TextField(blank=True)

    personal = PersonalData(team="old new says")

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.get_old_display()} → {self.get_new_display()}"


class Click(models.Model):
    """One visit of a short link, reported by a CLICKED receipt. Link scanners click too, so each has a verdict with its reason."""

    class Verdict(models.TextChoices):
        HUMAN = "human", _("Human")
        MACHINE = "machine", _("Machine")
        UNSURE = "unsure", _("Unsure")

    message = models.ForeignKey("sms.Message", on_delete=CASCADE, related_name="clicks")
    receipt = models.OneToOneField(
        "sms.Receipt", on_delete=CASCADE, related_name="click", db_constraint=False
    )
    url = models.TextField()
    ip = models.CharField(max_length=45, blank=True)
    user_agent = models.TextField(blank=True)
    verdict = models.CharField(max_length=10, default=Verdict.UNSURE)
    reason = models.CharField(max_length=40, default="not_judged", help_text="Code of the rule that decided.")
    rules_version = models.PositiveSmallIntegerField(
        default=0,
        help_text="Version of the rules that decided; 0 before the first time, and not counted yet.",
    )
    at = models.DateTimeField()

    personal = PersonalData(
        service="message__send__service", texts="url ip user_agent", neutral="verdict reason"
    )

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.url} at {self.at:%Y-%m-%d %H:%M:%S}"


class ClickCount(models.Model):
    """Clicks of a send by verdict and hour, so that no page counts them. Written by `sms.inbound.clicks.counts`, in its transaction."""

    send = models.ForeignKey("sms.Send", on_delete=CASCADE, related_name="click_counts", db_index=False)
    verdict = models.CharField(max_length=10, choices=Click.Verdict)
    hour = models.IntegerField(
        help_text="Of the clicks, by their own time, and of the first click of each message; in hours since 1970."
    )
    clicks = models.BigIntegerField(default=0)
    messages = models.BigIntegerField(
        default=0,
        help_text="Messages whose best click is this: human before unsure before machine. They add up.",
    )

    class Meta:
        ordering = ("send", "verdict", "hour")
        constraints = (
            UniqueConstraint(fields=("send", "verdict", "hour"), name="click_count_once_per_send_and_hour"),
        )

    def __str__(self) -> str:
        return f"{self.clicks} {self.verdict}"

    @classmethod
    def add(cls, deltas: Mapping[tuple[int, str, int], tuple[int, int]]) -> None:
        """Add (clicks, messages) by (send, verdict, hour). Rows are written in one order, so that two writers never deadlock."""
        rows = [(*key, *delta) for key, delta in sorted(deltas.items()) if any(delta)]
        if not rows:
            return
        table = cls._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (send_id, verdict, hour, clicks, messages) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608 - words of ours; values are parameters
                f" ON CONFLICT (send_id, verdict, hour) DO UPDATE SET clicks = {table}.clicks + excluded.clicks,"
                f" messages = {table}.messages + excluded.messages",
                rows,
            )


@dataclass(frozen=True, slots=True)
class ClickFigures:
    """Clicks, and messages clicked, by who did it. All three are shown wherever one is."""

    human: int = 0
    machine: int = 0
    unsure: int = 0
    human_messages: int = 0
    machine_messages: int = 0
    unsure_messages: int = 0

    @property
    def all(self) -> int:
        return self.human + self.machine + self.unsure

    @classmethod
    def of_send(cls, send_id: int) -> "ClickFigures":
        figures: dict[str, int] = {}
        rows = ClickCount.objects.filter(send_id=send_id).order_by().values_list("verdict")
        for verdict, clicks, messages in rows.annotate(Sum("clicks"), Sum("messages")):
            figures |= {verdict: clicks, f"{verdict}_messages": messages}
        return cls(**figures)


class Smartlink(models.Model):
    """A smartlink of the service. Unlike a short link it gives no click receipts."""

    audit_noun = "smartlink"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="smartlinks")
    smartlink_id = models.PositiveBigIntegerField(
        _("smartlink id"),
        validators=[MinValueValidator(1), MaxValueValidator(2**53)],
        help_text=_("The link's number in Webex Connect."),
    )
    name = models.CharField(max_length=80)
    validity = models.PositiveIntegerField(
        _("valid for"),
        default=1440,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_SMARTLINK)],
        help_text=_("Minutes after the message. A day has 1,440."),
    )
    active = models.BooleanField(default=True)

    personal = PersonalData(service="service", catalogue="name", neutral="smartlink_id")

    class Meta:
        ordering = ("name",)
        constraints = (
            UniqueConstraint(
                fields=("service", "smartlink_id"), name="smartlink_id_is_listed_once_per_service"
            ),
            UniqueConstraint(fields=("service", "name"), name="smartlink_name_is_unique_per_service"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        return f"{{{{smartlink_{self.smartlink_id}}}}}"
