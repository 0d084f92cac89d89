"""The calendar of planned sends: a month or a week, of one service or of all that the viewer belongs to."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.access import may, service_page, services_of
from portal.presenters.calendar import CalendarRange, days_of
from sms.models import Service
from sms.models.sql.clock import corrected_now
from sms.sends import calendar as sends_calendar
from sms.values.quiet_hours import midnight


@service_page("see")
def calendar(request: HttpRequest, service: Service) -> HttpResponse:
    now, zone = corrected_now(), timezone.get_current_timezone_name()
    today = timezone.localtime(now).date()
    shown = CalendarRange.asked(request, today=today)
    mine = list(services_of(request.user).select_related("region")) if shown.of_all else [service]  # type: ignore[arg-type]
    found = sends_calendar.entries_between(
        mine,
        since=midnight(shown.first, zone),
        until=midnight(shown.last + timedelta(days=1), zone),
        now=now,
        drafts_of=[one for one in mine if "compose" in may(request.user, one)],  # type: ignore[arg-type]
    )
    days = days_of(shown, found.entries, today=today, zone=zone, service=service)
    weeks = [days[start : start + 7] for start in range(0, len(days), 7)]
    context = {
        "shown": shown,
        "today": shown.address(at=today),
        "by_month": shown.address(view="month"),
        "by_week": shown.address(view="week"),
        "of_one": shown.address(of=""),
        "of_every": shown.address(of="all"),
        "weeks": [week for week in weeks if not all(day.is_past for day in week)] or weeks,
        "days": days,
        "entries": found.entries,
        "more": found.more,
        "several": services_of(request.user).count() > 1,  # type: ignore[arg-type]
        "no_rate": [one for one in mine if not one.rate],
    }
    return render(request, "calendar/page.html", context)
