"""Reports by e-mail: which there are, a new one, and ending one."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.reports import ScheduleForm
from sms.models import ReportSchedule, Service
from sms.models.audit import audit
from sms.reports.mail import next_time

MOST = 20


@service_page("export", FORM)
def report_schedules(request: HttpRequest, service: Service) -> HttpResponse:
    form = ScheduleForm(request.POST or None, service=service)
    if request.method == "POST" and form.is_valid():
        if service.report_schedules.count() >= MOST:
            messages.error(request, f"A service has {MOST} reports by e-mail at most. End one of them first.")
            return redirect("report_schedules", service=service.slug)
        with transaction.atomic():
            by = actor(request)
            made = form.save(commit=False)
            made.service, made.made_by = service, by.label
            made.query = {"by": form.cleaned_data["by"]}
            made.recipients = form.cleaned_data["people"]
            made.next_at = next_time(made.every, timezone.now())
            made.save()
            audit("report.scheduled", made, by=by, every=made.every, people=len(made.recipients))
        messages.success(request, f"{made.name} goes out first on {made.next_at:%-d %B %Y}.")
        return redirect("report_schedules", service=service.slug)
    rows = service.report_schedules.all()
    status = 422 if request.method == "POST" else 200
    return render(request, "reports/schedules.html", {"form": form, "rows": rows}, status=status)


@service_page("export", WRITE)
def report_schedule_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(ReportSchedule, service=service, pk=pk)
    with transaction.atomic():
        audit("report.unscheduled", found, by=actor(request))
        found.delete()
    messages.success(request, f"{found.name} does not go out any more.")
    return redirect("report_schedules", service=service.slug)
