"""Facts: the figures that reports read. Appended as deltas in the transactions that change messages, folded into tables later.

`FactDelta` is written by `sms.ledger.counters` for its callers; all the rest belongs to `sms.reports.facts`. Nothing here has a
foreign key, because facts stay when messages are deleted.
"""

from collections.abc import Iterable

from django.db import models
from django.db.models import CASCADE, Index, UniqueConstraint

from sms.models.columns import empty_text
from sms.models.personal import PersonalData

QUARTER = 900  # seconds; every clock of today differs from UTC by so many of these
# columns of a delta: what is counted and where, and the counts
NAMED = ("measure", "word", "code", "bucket", "send_id", "service_id", "quarter", "country", "carrier")
FIGURES = ("messages", "amount", "amount_of", "billed", "billed_of")
MEASURES = ("state", "wait", "submit", "carrier", "deliver", "click", "opt_out", "posted")
BLOCK_DAYS = 32  # a year is read as eleven blocks and the days before and after them
TIMES = ("wait", "submit", "carrier", "deliver")
# for service levels: who messages were from and for has nothing to do with how long they waited
TIMES_OF_ALL = ("wait",)
TIMES_FROM = 20  # recipients: a percentile of fewer says nothing
_NEUTRAL = "amount amount_of billed billed_of measure word code"


class _Figures(models.Model):
    """What was counted (`measure`, `word`, `code`, `bucket`) and how often.

    state    word is the state, code that of a failure. amount: segments by our count, of amount_of messages (the provider makes
             the text of the others); billed: segments as the provider reported, of billed_of messages
    wait submit carrier deliver    bucket is that of the seconds (`sms.values.histogram`)
    click    word is the verdict. messages: those whose best click it is; amount: clicks
    opt_out  messages: people who opted out
    posted   as state, of all states of messages that left: only in the cut PRICED, and of a send, where code is the country
    """

    measure = models.CharField(max_length=8)
    word = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=10, blank=True)
    bucket = models.SmallIntegerField(default=0)
    messages = models.BigIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    amount_of = models.BigIntegerField(default=0)
    billed = models.BigIntegerField(default=0)
    billed_of = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.measure} {self.word} {self.messages}"


class _OfSend(_Figures):
    """Figures of a send by place: where and when. `quarter` is the quarter of an hour in which a message was posted last, since 1970, UTC.

    Quarter 0: not posted; that in which the send was due is meant. `send_id` 0 only for opt-outs that answer no send of ours,
    which is where `service_id` is filled.
    """

    send_id = models.BigIntegerField()
    service_id = models.BigIntegerField(default=0)
    quarter = models.IntegerField(default=0)
    country = models.CharField(max_length=2, blank=True)
    carrier = models.CharField(max_length=20, blank=True)

    personal = PersonalData(neutral=f"{_NEUTRAL} carrier")

    class Meta:
        abstract = True


class FactDelta(_OfSend):
    def __str__(self) -> str:
        return f"{self.measure} {self.word} {self.messages:+d}"


class KeptFact(_OfSend):
    """What deleted messages had added to the facts, so that facts can be rebuilt without them."""

    class Meta:
        indexes = (Index(fields=("send_id",), name="kept_fact_of_a_send"),)  # used by: rebuild


class FactProfile(models.Model):
    """What sends have in common: who sent what from where. Ids are 0 for none; names are those of the last send that had it."""

    NAMED = ("sender", "template", "version", "domain", "policy_group", "person")

    service_id = models.BigIntegerField()
    sender_id = models.BigIntegerField(default=0)
    template_id = models.BigIntegerField(default=0)
    version_id = models.BigIntegerField(default=0)
    domain_id = models.BigIntegerField(default=0)
    policy_group_id = models.BigIntegerField(default=0)
    person_id = models.BigIntegerField(default=0)
    partner = models.CharField(max_length=100, blank=True)
    labels = empty_text(400, "Words in order, with commas between them.")
    smartlinks = models.BooleanField(default=False, help_text="Smartlinks in the text give no clicks.")
    untracked = models.BooleanField(
        default=False, db_default=False, help_text="Links are shortened, and clicks are not asked for."
    )
    test = models.BooleanField(default=False, db_default=False)
    sender = models.CharField(max_length=100, blank=True)
    template = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=100, blank=True)
    domain = models.CharField(max_length=253, blank=True)
    policy_group = models.CharField(max_length=200, blank=True)
    person = models.CharField(max_length=254, blank=True)

    personal = PersonalData(
        service="service_id",
        catalogue="sender template version domain policy_group partner",
        team="person",
        neutral="labels sender_id template_id version_id domain_id policy_group_id person_id",
    )

    class Meta:
        constraints = (
            UniqueConstraint(
                fields=(
                    *("service_id", "sender_id", "template_id", "version_id", "domain_id"),
                    *("policy_group_id", "person_id", "partner", "labels"),
                    *("smartlinks", "test", "untracked"),
                ),
                name="fact_profile_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.sender} {self.template} {self.person or self.partner}"


class ReportedSend(models.Model):
    """A send as reports know it, for ever."""

    send_id = models.BigIntegerField(primary_key=True)
    service_id = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    name = models.CharField(max_length=100)
    quarter = models.IntegerField(help_text="Quarters of an hour since 1970, UTC, in which it was due.")
    recipients = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()

    personal = PersonalData(service="service_id", texts="name")

    class Meta:
        # used by: reports
        indexes = (Index(fields=("service_id", "quarter"), name="reported_send_by_time"),)

    def __str__(self) -> str:
        return self.name


class SendFact(_Figures):
    """Figures of one send. Times, without TIMES_OF_ALL, are kept of sends with TIMES_FROM recipients
    and more."""

    send_id = models.BigIntegerField()

    personal = PersonalData(neutral=_NEUTRAL)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("send_id", "measure", "word", "code", "bucket"), name="send_fact_once"),
        )

    def __str__(self) -> str:
        return f"send {self.send_id}: {self.measure} {self.word} {self.messages}"


class Fact(_Figures):
    """Figures of a service by hour, by day and by 32 days, cut in several ways, so that small questions read few rows.

    A cut leaves out what it does not distinguish: `profile_id` is 0, `country` and `carrier` are empty. Times are cut WHOLE by
    the hour, and not FULL by the day.
    """

    class Grain(models.TextChoices):
        """`at` is hours since 1970 as a clock in the service's `FactZone` shows them, or days, or blocks of BLOCK_DAYS.

        An hour that comes twice is one; one that the clocks skip has nothing.
        """

        HOUR = "h", "hour"
        DAY = "d", "day"
        BLOCK = "b", "32 days"

    class Cut(models.IntegerChoices):
        WHOLE = 0
        PROFILE = 1
        PLACE = 2  # country and carrier
        FULL = 3
        # profile and country of what was posted: what it cost, and what links and segments do not show
        PRICED = 4

        @property
        def by_profile(self) -> bool:
            """Whether profiles are separate; where they are not, `profile_id` is 0."""
            return self in (Fact.Cut.PROFILE, Fact.Cut.FULL, Fact.Cut.PRICED)

        @property
        def by_country(self) -> bool:
            return self in (Fact.Cut.PLACE, Fact.Cut.FULL, Fact.Cut.PRICED)

        @property
        def by_carrier(self) -> bool:
            return self in (Fact.Cut.PLACE, Fact.Cut.FULL)

    service_id = models.BigIntegerField()
    grain = models.CharField(max_length=1, choices=Grain)
    cut = models.SmallIntegerField(choices=Cut)
    at = models.IntegerField()
    profile_id = models.BigIntegerField(default=0)
    country = models.CharField(max_length=2, blank=True)
    carrier = models.CharField(max_length=20, blank=True)

    personal = PersonalData(neutral=f"{_NEUTRAL} carrier")

    class Meta:
        constraints = (
            UniqueConstraint(
                fields=(
                    *("service_id", "grain", "cut", "profile_id", "measure", "at", "country", "carrier"),
                    *("word", "code", "bucket"),
                ),
                name="fact_once",
            ),  # used by: every report, by its beginning, so all of them name profiles. Rows of others, and times, which are most
            # of all, are passed over where they are not asked for
        )


# cuts that have times, all but TIMES_OF_ALL where not WHOLE: histograms are many rows, and by the hour they would be as many as messages
TIMED = {
    Fact.Grain.HOUR: (Fact.Cut.WHOLE,),
    Fact.Grain.DAY: (Fact.Cut.WHOLE, Fact.Cut.PROFILE, Fact.Cut.PLACE),
    Fact.Grain.BLOCK: (Fact.Cut.WHOLE, Fact.Cut.PROFILE, Fact.Cut.PLACE),
}
HOURS = {Fact.Grain.HOUR: 1, Fact.Grain.DAY: 24, Fact.Grain.BLOCK: 24 * BLOCK_DAYS}


class FactZoneQuerySet(models.QuerySet["FactZone"]):
    def zones(self, services: Iterable[int]) -> dict[int, str]:
        return dict(self.filter(service_id__in=list(services)).values_list("service_id", "zone"))


class FactZone(models.Model):
    """In which time zone the facts of a service are counted: its own when they were first counted.

    Where that is changed, all are counted again in the background, and until then reports name this one. No column of the service, and no
    constraint, since neither may hold its row while millions of messages are read.
    """

    service = models.OneToOneField(
        "sms.Service", on_delete=CASCADE, primary_key=True, related_name="counted_in", db_constraint=False
    )
    zone = models.CharField(max_length=60)

    objects = FactZoneQuerySet.as_manager()

    personal = PersonalData(service="service", team="zone")

    def __str__(self) -> str:
        return self.zone


class FactFold(models.Model):
    """How far folding came. One row."""

    folded_at = models.DateTimeField(null=True)
    rebuilt_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"folded {self.folded_at}"
