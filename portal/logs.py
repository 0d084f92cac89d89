"""Logging: one line per outcome, ids only. Phone numbers are masked and tokens in paths cut, in the lines of libraries too.

`logging_config(format, debug=)` is called by settings; everything else logs through `structlog.get_logger()` or stdlib `logging`.
"""

import logging.config
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from portal import foreign_lines, secret_routes
from sms.api import request_ids
from sms.values.msisdn.mention import masked_values

# An absolute address may lead to a partner's door, whose key is its path; a query holds what people typed. A long part is a secret under
# a route that was mistyped; a UUID has 36.
_ELSEWHERE = re.compile(r"(\bhttps?://[^/\s\"'<>]+/)[^\s\"'<>]+", re.IGNORECASE)
_QUERY = re.compile(r"([?&][\w.\[\]-]{1,100}=)[^&\s\"'#]+")
_PREFIX = re.compile(r"td_[a-z]+_[0-9a-f]{8}")  # of an API key, which may be shown; its digits are no number
_KEY = re.compile(r"\b(td_[a-z]+_[0-9a-f]{8})[\w-]+", re.ASCII)
_LONG_PART = re.compile(r"(/)[\w:=-]{40,}", re.ASCII)

# who is told of each finished line: its logger's name, the line, and its exception as it was given
told: list[Callable[[str, dict[str, Any], Any], None]] = []


def without_keys(text: str) -> str:
    """Nothing that opens anything."""
    for pattern in (secret_routes.before_secrets(), _ELSEWHERE, _QUERY, _KEY, _LONG_PART):
        text = pattern.sub(r"\1…", text)
    return text


def hidden(value: Any) -> Any:
    """The same without what looks like a number of a person or opens something, also within lists and tables."""
    return masked_values(_without_keys_within(value))


def _hide(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    for name, value in event.items():
        if not (isinstance(value, str) and _PREFIX.fullmatch(value)):
            event[name] = hidden(value)
    return event


def _finish(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    problem = event.get("exc_info")
    event = _hide(logger, name, dict(structlog.processors.format_exc_info(logger, name, event)))
    for tell in told:
        tell(getattr(logger or event.get("_record"), "name", ""), event, problem)
    return event


def _without_keys_within(value: Any) -> Any:
    """Also in lists and tables."""
    if isinstance(value, str):
        return without_keys(value)
    if isinstance(value, dict):
        return {key: _without_keys_within(one) for key, one in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(map(_without_keys_within, value))
    return value


def _refusal(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """A refused request is one line with its name, who asked and from where; Django would add the traceback of its own exception.

    Django writes it behind the middleware that knows them, so they are taken from the request.
    """
    record = event.get("_record")
    status = getattr(record, "status_code", 0)
    if record is not None and record.name.startswith("django.") and status >= 400:
        request = getattr(record, "request", None)
        environ = getattr(request, "META", {})
        event |= {request_ids.IN_LOG: request_ids.known(environ)} | getattr(request, "refused", {})
        if status < 500:
            event.pop("exc_info", None)
            person = getattr(getattr(request, "_cached_user", None), "pk", None)
            event |= {"person": person, "address": environ.get("REMOTE_ADDR", "")}
    return event


class RestartsAreNoAlarm(logging.Filter):
    """django-q2 calls it critical that it starts a part of itself again, as it does whenever the database was away for a moment."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.CRITICAL and record.getMessage().startswith(
            ("reincarnated pusher", "reincarnated monitor")
        ):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def begin_in_json() -> None:
    """Until settings have configured the log, for whatever keeps them from it."""
    handler = logging.StreamHandler(foreign_lines.STDERR)
    handler.setFormatter(json_lines())
    logging.getLogger().addHandler(handler)


def json_lines() -> logging.Formatter:
    """For the web server, which begins to log before there is an application. What is no line of a log becomes one from then on."""
    foreign_lines.begin()
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=_shared(),
    )


def of_web_server(style: str) -> Path | None:
    """What the web server's own log is configured by, where that is not its own way."""
    return Path(__file__).with_name("granian_log.json") if style == "json" else None


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        _refusal,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _finish,
    ]


def logging_config(style: str, *, debug: bool) -> dict[str, Any]:
    """Configure structlog and stdlib logging alike; `style` is `console` or `json`."""
    shared = _shared()
    on_console = structlog.dev.ConsoleRenderer(colors=False)
    last: Any = structlog.processors.JSONRenderer() if style == "json" else on_console
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        "foreign_pre_chain": shared,
    }
    stream = {"stream": foreign_lines.STDERR} if foreign_lines.begun() else {}
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "filters": {"restarts": {"()": RestartsAreNoAlarm}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", **stream}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # one INFO line per enqueue, URLs and row values: none of these belongs in our log
            "django-q": {
                "level": "WARNING",
                "handlers": ["stderr"],
                "filters": ["restarts"],
                "propagate": False,
            },
            "django_q": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # several lines for each batch that a collector does not take; `portal.tracing` says it once
            "opentelemetry": {"level": "ERROR"},
            "opentelemetry.exporter": {"level": "CRITICAL"},
            "django.server": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "ERROR"},
            "_granian": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            # where somebody starts it with --access-log; ours (ACCESS_LOG) names the person too
            "granian.access": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        },
    }
    if debug:
        config["loggers"]["sms"] = {"level": "DEBUG"}
    logging.config.dictConfig(config)
    return config
