"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says to which collector (docs/operators/tracing.md).

The packages of the extra `otel` are imported by `begin`, which `portal.apps` calls in every process, and not at all without a collector.
A span has ids, counts and words of ours; what an exception says, paths, queries, headers and statements never come into one. What a caller
sends as the trace that a request belongs to is not taken over, and Webex Connect and partners are sent none.
"""

import multiprocessing.util
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from portal.logs import hidden
from portal.request_meters import lane_of
from portal.telemetry_variables import TraceCollector
from sms import VERSION
from sms.values.spans import OpenSpan, Said, spans

log = structlog.get_logger(__name__)

PATH = "/v1/traces"
EXPORT_WITHIN = 2.0  # seconds for each batch: a process that ends waits for the last ones
NAMES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
}
OF_THE_LOG = ("request_id", "task", "job")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _Told:
    """A span of OpenTelemetry as `sms.values.spans` knows one."""

    def __init__(self, span: Any) -> None:
        self.span, self.forgotten = span, False

    def say(self, **said: Said) -> None:
        with suppress(Exception):  # no work breaks off over what is said of it
            for name, value in said.items():
                self.span.set_attribute(NAMES.get(name, f"textdesk.{name}"), plain(value))

    def rename(self, name: str) -> None:
        self.span.update_name(name)

    def forget(self) -> None:
        self.forgotten = True


def plain(value: Said) -> Any:
    """What looks like a number of a person or opens something is hidden, in case one is ever said."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return hidden(value)


class _SayingOnce:
    """An exporter, with one line of the log when the collector begins to take nothing, and one when it takes something again."""

    def __init__(self, exporter: Any) -> None:
        self._exporter, self._taken = exporter, True
        self.shutdown, self.force_flush = exporter.shutdown, exporter.force_flush

    def export(self, batch: Any) -> Any:
        result = self._exporter.export(batch)
        taken = result.name == "SUCCESS"
        if taken != self._taken:
            self._taken = taken
            (log.info if taken else log.warning)("traces_taken" if taken else "traces_not_taken")
        return result


class CollectorTracer:
    """Gathers spans and hands them to the collector, some seconds later and on a thread of its own. What it does not take is dropped."""

    def __init__(self, to: TraceCollector) -> None:
        from opentelemetry import context, trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        named = {"service.name": to.service, "service.version": VERSION, "host.name": socket.gethostname()}
        self._api, self.here = trace, context.get_current
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(to.share)),
            # not by the other detectors, one of which tells a process's arguments
            resource=OTELResourceDetector().detect().merge(Resource(named)),
        )
        exporter = OTLPSpanExporter(endpoint=to.endpoint + PATH, headers=to.headers, timeout=EXPORT_WITHIN)
        self.provider.add_span_processor(BatchSpanProcessor(_SayingOnce(exporter)))  # type: ignore[arg-type]
        self._tracer = self.provider.get_tracer("textdesk", VERSION)

    @contextmanager
    def open(self, name: str, within: Any, said: dict[str, Said]) -> Iterator[OpenSpan]:
        told = _Told(self._tracer.start_span(name, context=within, record_exception=False))
        known = structlog.contextvars.get_contextvars()
        told.say(**{one: known[one] for one in OF_THE_LOG if one in known}, **said)
        try:
            with self._api.use_span(told.span, record_exception=False, set_status_on_exception=False):
                yield told
        except BaseException as problem:
            told.say(error=type(problem).__name__)
            told.span.set_status(self._api.StatusCode.ERROR)
            raise
        finally:
            if not told.forgotten:
                told.span.end()


def begin() -> None:
    """In a process that begins. Those that it forks gather their own, and hand them over when they end."""
    if settings.TRACES is not None:
        tracer = CollectorTracer(settings.TRACES)
        spans.tracer = tracer
        multiprocessing.util.register_after_fork(tracer, _hand_over_at_its_end)


def _hand_over_at_its_end(tracer: CollectorTracer) -> None:
    multiprocessing.util.Finalize(tracer, tracer.provider.shutdown, exitpriority=0)


class RequestSpans:
    """A span for each request, by its route: paths hold keys of receipt addresses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if settings.TRACES is None:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        method = request.method if request.method in METHODS else "_OTHER"
        with spans.open("request", method=method, lane=lane_of(request.path_info)) as span:
            response = self.get_response(request)
            match = request.resolver_match
            route = f"/{match.route}" if match is not None else ""
            span.rename(f"{method} {route}".rstrip())
            span.say(status=response.status_code, **({"route": route} if route else {}))
            if response.status_code >= 500:
                span.say(error=str(response.status_code))
            elif match is None and response.status_code < 400:
                span.forget()  # a static file
            return response
