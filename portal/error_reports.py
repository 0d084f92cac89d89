"""Reports of errors to Sentry, or what speaks its protocol, where SENTRY_DSN says to which (docs/operators/tracing.md).

Every line of the log at level error is reported, with the types of its exceptions and where in our code they came from: no values. What an
exception or a library says may hold a person's text, so it stands in the log alone, which has the same request id. `sentry_sdk` of the
extra `sentry` is imported by `begin`, which `portal.apps` calls in every process, and not at all without an address. None of its
integrations that look into requests, statements, arguments or connections is switched on.
"""

import contextlib
import multiprocessing.util
import re
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings

from portal import foreign_lines, logs
from sms import VERSION

log = structlog.get_logger(__name__)

LEVELS = {"error": "error", "critical": "fatal"}
TAGS = (
    *("request_id", "task", "job", "loop", "service", "send", "slice", "message", "messages"),
    *("receipt", "erasure", "status", "decision", "pid"),
)
KEPT = {
    *("event_id", "timestamp", "platform", "level", "logger", "message", "release", "environment"),
    *("server_name", "tags", "exception", "sdk"),
}
KEPT_OF_EXCEPTION = {"type", "module", "stacktrace"}
KEPT_OF_FRAME = {"filename", "abs_path", "function", "module", "lineno", "in_app"}
OURS = ("portal.", "sms.")
WITHIN = 2  # seconds for what is still to be handed over when a process ends
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,80}")


def begin() -> None:
    """In a process that begins. Those that it forks report for themselves."""
    if settings.SENTRY is None:
        return
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY.dsn,
        environment=settings.SENTRY.environment,
        release=VERSION,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _timeout: None), DedupeIntegration()],
        shutdown_timeout=WITHIN,
        include_local_variables=False,
        include_source_context=False,
        send_default_pii=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_breadcrumb=lambda _crumb, _hint: None,
        before_send=without_values,
        propagate_traces=False,
        auto_session_tracking=False,
        send_client_reports=False,
        spotlight=False,
    )
    client = sentry_sdk.get_client()
    multiprocessing.util.register_after_fork(client, _hand_over_at_its_end)
    logs.told.append(report)
    if not foreign_lines.begun():  # else they are lines of the log already
        sys.excepthook = _uncaught(sys.excepthook)
        told = threading.excepthook
        threading.excepthook = lambda found: _uncaught(lambda *_: told(found))(*found[:3])


def _hand_over_at_its_end(client: Any) -> None:
    multiprocessing.util.Finalize(client, client.close, kwargs={"timeout": WITHIN}, exitpriority=0)


def _uncaught(then: Callable[..., object]) -> Callable[..., None]:
    def hook(kind: type[BaseException], problem: Any, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            report(log.name, {"event": "uncaught", "level": "critical"}, (kind, problem, trace))
        then(kind, problem, trace)

    return hook


def report(logger: str, line: dict[str, Any], problem: Any) -> None:
    """A finished line of the log. Whatever goes wrong here must not cost the line."""
    level = LEVELS.get(line.get("level", ""))
    if level is None or logger.startswith(("opentelemetry", "sentry_sdk")):
        return
    with contextlib.suppress(Exception):
        _report(logger, level, line, problem)


def _report(logger: str, level: str, line: dict[str, Any], problem: Any) -> None:
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    event: dict[str, Any] = {}
    hint: dict[str, Any] = {}
    problem = sys.exc_info() if problem is True else problem
    if isinstance(problem, BaseException) or (isinstance(problem, tuple) and problem[0] is not None):
        event, hint = event_from_exception(problem, client_options=sentry_sdk.get_client().options)  # type: ignore[assignment]
    record = line.get("_record")
    said = line.get("event")
    ours = logger.startswith(OURS) and isinstance(said, str) and _EVENT.fullmatch(said)
    event["level"], event["logger"] = level, logger
    event["message"] = said if ours else f"{logger} in {getattr(record, 'funcName', None) or '?'}"
    event["tags"] = {name: line[name] for name in TAGS if line.get(name) is not None}
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        event["tags"]["route"] = f"/{match.route}"
    sentry_sdk.get_current_scope().capture_event(event, hint)  # type: ignore[arg-type]


def without_values(event: Any, _hint: Any) -> Any:
    """The last look at whatever is about to leave: what is not known to be harmless is taken out."""
    kept = {name: value for name, value in event.items() if name in KEPT}
    kept["tags"] = {
        name: value if name == "route" else str(logs.hidden(value))[:100]
        for name, value in (event.get("tags") or {}).items()
        if name in (*TAGS, "route")
    }
    if "message" in kept:
        kept["message"] = str(logs.hidden(kept["message"]))[:200]
    if "exception" in kept:
        values = (kept["exception"] or {}).get("values") or []
        kept["exception"] = {"values": [_without_value(one) for one in values]}
    return kept


def _without_value(exception: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in exception.items() if name in KEPT_OF_EXCEPTION}
    frames = (kept.get("stacktrace") or {}).get("frames") or []
    if frames:
        kept["stacktrace"] = {
            "frames": [{k: v for k, v in frame.items() if k in KEPT_OF_FRAME} for frame in frames]
        }
    return kept
