"""Logging: one line per outcome, ids only. Phone numbers are masked and tokens in paths cut, in the lines of libraries too.

`logging_config(format, debug=)` is called by settings; everything else logs through `structlog.get_logger()` or stdlib `logging`.
"""

import logging.config
import re
from typing import Any

import structlog

from sms.values.msisdn.mention import masked_values

# The secret part of these paths gives access, to a person or to receipts; Django logs every 4xx and 5xx. A test walks the URL list.
_CAPABILITY_ROUTES = r"receipts|inbound|invitations|accounts/address|accounts/password/reset/key"
_CAPABILITY = re.compile(rf"(/(?:{_CAPABILITY_ROUTES})/+)[^/\s?#\"']{{12,}}", re.IGNORECASE)
# the same under a route that was mistyped; a UUID has 36
_LONG_PART = re.compile(r"(/)[\w:=-]{40,}", re.ASCII)


def _hide(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            value = _LONG_PART.sub(r"\1…", _CAPABILITY.sub(r"\1…", value))
        event[key] = masked_values(value)
    return event


def _refusal(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """A refused page is one line with who asked and from where; Django would add the traceback of its own exception."""
    record = event.get("_record")
    if record is not None and record.name == "django.request" and getattr(record, "status_code", 0) == 403:
        event.pop("exc_info", None)
        request = getattr(record, "request", None)
        person = getattr(getattr(request, "_cached_user", None), "pk", None)
        event |= {"person": person, "address": getattr(request, "META", {}).get("REMOTE_ADDR", "")}
    return event


def logging_config(style: str, *, debug: bool) -> dict[str, Any]:
    """Configure structlog and stdlib logging alike; `style` is `console` or `json`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _refusal,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _hide,
    ]
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
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # one INFO line per enqueue, URLs and row values: none of these belongs in our log
            "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            "django_q": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django.server": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "ERROR"},
            "_granian": {"level": "WARNING"},
        },
    }
    if debug:
        config["loggers"]["sms"] = {"level": "DEBUG"}
    logging.config.dictConfig(config)
    return config
