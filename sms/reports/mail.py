"""Reports that go out by mail: of the week or the month before, on its first day at six by the service's clock, to its people."""

from datetime import date, datetime, time, timedelta
from itertools import islice
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.models import Actor, ReportSchedule, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.reports.files import csv_of
from sms.reports.query import BY, ReportQuery
from sms.reports.read import all_lines, report
from sms.values.mail_subject import one_line
from sms.values.quiet_hours import local_instant
from sms.words import KeptSentence, in_english, in_language, moment, number

log = structlog.get_logger(__name__)

HOUR = 6  # of the day, in the zone of the report
AGAIN = timedelta(hours=1)  # after mail could not leave
MOST_ROWS = 20_000  # of the attached file
NOT_TAKEN = KeptSentence(gettext_noop("The mail server did not take it: %(problem)s"))
BY_ITSELF = Actor(kind="system", key="", label=gettext_noop("Report by e-mail"), door="system")


def next_time(every: str, after: datetime, zone: str) -> datetime:
    """The next Monday, or first of a month, at HOUR, in UTC."""
    day = after.astimezone(ZoneInfo(zone)).date()
    while _six(day, zone) <= after or (day.weekday() if every == ReportSchedule.Every.WEEK else day.day - 1):
        day += timedelta(days=1)
    return _six(day, zone)


def move_to_zone(service: Service, before: str) -> None:
    """Its days are no longer those of the zone `before`: reports by e-mail keep their day and hour, by its clock of now."""
    for one in ReportSchedule.objects.filter(service=service):
        shown = one.next_at.astimezone(ZoneInfo(before)).replace(tzinfo=None)
        moved = local_instant(shown, service.facts_clock)
        ReportSchedule.objects.filter(pk=one.pk, next_at=one.next_at).update(next_at=moved)


def _six(day: date, zone: str) -> datetime:
    return local_instant(datetime.combine(day, time(HOUR)), zone)


def period_before(one: ReportSchedule, at: datetime) -> ReportQuery:
    """What it reports when it is due at `at`: the seven days, or the month, before."""
    last = at.astimezone(ZoneInfo(one.service.facts_clock)).date() - timedelta(days=1)
    first = last - timedelta(days=6) if one.every == ReportSchedule.Every.WEEK else last.replace(day=1)
    days = {"from": first.isoformat(), "until": last.isoformat()}
    return ReportQuery.stored(one.service, one.query | days)


def send_due(*, public_url: str, now: datetime | None = None) -> int:
    """Mail what is due; returns how many reports left. What could not leave is tried again in an hour, and says why."""
    now, sent = now or corrected_now(), 0
    waiting = ReportSchedule.objects.filter(next_at__lte=now).select_related("service").order_by("next_at")
    waiting = waiting.defer(*Service.secrets("service"))
    for one in waiting[:20]:
        due = one.next_at
        mine = ReportSchedule.objects.filter(pk=one.pk, next_at=due)
        if not mine.update(next_at=now + AGAIN):
            continue  # another process has it
        people = one.service.memberships.filter(user__is_active=True)
        still = dict(people.values_list("user__email", "user__language"))
        to = [address for address in one.recipients if address in still]
        try:
            for language in sorted({still[address] for address in to}):
                readers = [address for address in to if still[address] == language]
                with in_language(language):
                    _mail(one, readers, _first(one, due), public_url)
        except OSError as problem:
            log.error("report_mail_not_sent", schedule=one.pk, error=repr(problem)[:300])
            said = NOT_TAKEN(problem=problem)[:200]
            ReportSchedule.objects.filter(pk=one.pk).update(trouble=said)
            continue
        trouble = "" if to else gettext_noop("None of its recipients is in the service any more.")
        with transaction.atomic():
            later = next_time(one.every, now, one.service.facts_clock)
            ReportSchedule.objects.filter(pk=one.pk).update(next_at=later, last_at=now, trouble=trouble)
            audit("report.mailed", one, by=BY_ITSELF, people=len(to))
        sent += bool(to)
    return sent


def _first(one: ReportSchedule, due: datetime) -> datetime:
    """The beginning of the week or month it was due in: a mail that is late, or was tried again, reports the same days."""
    zone = one.service.facts_clock
    day = due.astimezone(ZoneInfo(zone)).date()
    passed = day.weekday() if one.every == ReportSchedule.Every.WEEK else day.day - 1
    return _six(day - timedelta(days=passed), zone)


def _mail(one: ReportSchedule, to: list[str], at: datetime, public_url: str) -> None:
    asked = period_before(one, at)
    total = report(asked).total
    # Translators: both are days.
    days = _("%(since)s to %(until)s") % {
        "since": moment(asked.since, "j F Y"),
        "until": moment(asked.until, "j F Y"),
    }
    share = _("Coverage: nothing was posted.")
    if total.coverage is not None:
        share = _("Coverage: %(share)s %% of posted messages have a final receipt.")
        share %= {"share": number(round(100 * total.coverage, 1))}
    facts = {
        "service": one.service.name_in_mails,
        "days": days,
        "zone": asked.zone,
        "messages": number(total.messages),
        "posted": number(total.posted),
        "delivered": number(total.delivered),
        "failed": number(total.failed),
        "open": number(total.open),
        "share": share,
        "opt_outs": number(total.opt_outs),
        "by": BY[asked.by].lower(),
        "address": f"{public_url}/s/{one.service.slug}/reports/?{urlencode(asked.parameters)}",
    }
    # Translators: days are from one to another, zone is a time zone, by is a word like “day” or “sender”, share a sentence.
    body = _(
        "%(service)s, %(days)s (days in %(zone)s)\n\n"
        "Messages: %(messages)s, of them posted %(posted)s\n"
        "Delivered: %(delivered)s\nFailed: %(failed)s\nEnd not known: %(open)s\n"
        "%(share)s\nOpt-outs: %(opt_outs)s\n\n"
        "By %(by)s, with everything else: the attached file, or\n%(address)s\n"
    )
    with in_english():
        content = "".join(islice(csv_of(asked, all_lines(asked)), MOST_ROWS + 1))
    name = f"report-{one.service.slug}-{asked.since}-{asked.until}{one.service.file_mark}.csv"
    place = "Textdesk sandbox" if one.service.is_sandbox else "Textdesk"
    mail = EmailMessage(subject=one_line(f"{place}: {one.name}, {days}"), body=body % facts, bcc=to)
    mail.attach(name, content.encode(), "text/csv")
    mail.send()
