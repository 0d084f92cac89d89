"""Reports: the figures of each send from its counters, of each day from the facts. No message is counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms import reports
from sms.api.v1 import access
from sms.api.v1.bodies import Moment
from sms.api.v1.filters import SendFilter
from sms.api.v1.problems import invalid
from sms.api.v1.resource import Resource
from sms.api.v1.sparse import Sparse
from sms.models import MessageState, Send, ShownState
from sms.models.message import FINAL
from sms.models.sql.clock import corrected_now
from sms.sends import progress
from sms.values.problems import ProblemCode

USUAL, MOST = timedelta(days=30), timedelta(days=366)
NOT_POSTED = (MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED)


class FiguresShape(Sparse):
    """Messages and their outcomes. `coverage` is the share of posted messages whose end is known; null if none was posted."""

    recipient_count = serializers.IntegerField()
    posted = serializers.IntegerField()
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    no_report = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    coverage = serializers.FloatField(allow_null=True, min_value=0, max_value=1)


class SendFigures(FiguresShape):
    """The figures of one send."""

    identity = "send"

    send = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=ShownState.values)
    send_at = Moment()


class DayFigures(FiguresShape):
    """The figures of the messages of one day, as clocks in `time_zone` count it."""

    identity = "day"

    day = serializers.DateField()
    time_zone = serializers.CharField()


def figures(counts: dict[str, int], recipients: int) -> dict[str, Any]:
    posted = recipients - sum(counts.get(state, 0) for state in NOT_POSTED)
    known = sum(counts.get(state, 0) for state in FINAL if state not in NOT_POSTED)
    return {
        "recipient_count": recipients,
        "posted": posted,
        **{state: counts.get(state, 0) for state in ("delivered", "failed", "unconfirmed", "no_report")},
        "counts": counts,
        "coverage": round(known / posted, 4) if posted > 0 else None,
    }


def _of_send(progress: progress.Progress) -> dict[str, Any]:
    send = progress.send
    about = {"send": send.pk, "name": send.name, "state": send.shown_state, "send_at": send.due_at}
    return about | figures(progress.counts, send.recipients)


class SendReports(Resource):
    serializer_class = SendFigures
    filterset_class = SendFilter
    queryset = Send.objects.all()
    scope = "read"

    @extend_schema(operation_id="reports_sends", summary="Report by send")
    def list(self, request: Request) -> Response:
        """Newest first, with the coverage of each figure."""
        return self.page(self.rows())

    def prepared(self, rows: Sequence[Send]) -> Sequence[dict[str, Any]]:
        return [_of_send(one) for one in progress.progress_of_page(rows)]


class DayReports(Resource):
    serializer_class = DayFigures
    filter_backends = ()
    scope = "read"

    def parameters(self) -> set[str]:
        return {"from", "until", "fields", "cursor", "limit"}

    @extend_schema(
        operation_id="reports_days",
        summary="Report by day",
        parameters=[
            OpenApiParameter("from", datetime, description="Thirty days before `until` if left out."),
            OpenApiParameter("until", datetime, description="Now if left out; a year after `from` at most."),
        ],
    )
    def list(self, request: Request) -> Response:
        """The latest day first, whole, also the first and the last; days without a message are left out.

        Days are those of the service's time zone, which each of them names. After a change of it the days stay those of the one before
        until all are counted again.

        A message counts on the day it was posted, one that was not on the day its send was due. What changed in the last minute may
        not be counted yet. What test keys sent is in no report, so a test key gets an empty list.
        """
        until = self._moment("until") or corrected_now()
        since = self._moment("from") or until - USUAL
        if not timedelta(0) < until - since <= MOST:
            raise invalid("from", "It is before `until`, by a year at most.", code=ProblemCode.OUT_OF_RANGE)
        zone = self.service.facts_clock
        clock = ZoneInfo(zone)
        last = (until - timedelta(microseconds=1)).astimezone(clock).date()
        key = access.key_of(request)
        only = {} if key.sees_all else {"partner": key.name}
        asked = reports.ReportQuery(self.service.pk, zone, since.astimezone(clock).date(), last, filters=only)
        shown = [
            {"day": line.at.date(), "time_zone": zone}
            | figures(
                {state: count for state, count in line.figures.states.items() if count}, line.figures.messages
            )
            for line in ([] if key.is_test else reports.report(asked).lines)
            if line.at is not None and line.figures.messages
        ]
        return self.paged(self.paginator.within(shown, request))

    def _moment(self, name: str) -> Any:
        raw = self.request.query_params.get(name, "")
        if not raw:
            return None
        try:
            return Moment().to_internal_value(raw)
        except serializers.ValidationError as problem:
            raise serializers.ValidationError({name: problem.detail}) from None
