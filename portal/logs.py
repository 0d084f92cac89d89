"""Logging: one line per outcome, ids only. Runs of seven and more digits are masked whoever wrote them.

`logging_config(format, debug=)` is called by settings; everything else logs through `structlog.get_logger()` or stdlib `logging`.
"""

import logging.config
import re
from typing import Any

import structlog

_LONG_DIGITS = re.compile(r"(?<![\w-])(\+?\d{2})\d{3,}(\d{2})(?![\w-])")


def mask_numbers(text: str) -> str:
    """Phone-like digit runs with their middle removed: `447700900123` → `44•••23`."""
    return _LONG_DIGITS.sub(r"\1•••\2", text)


def _mask_event(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: mask_numbers(value) if isinstance(value, str) else value for key, value in event.items()}


def logging_config(style: str, *, debug: bool) -> dict[str, Any]:
    """Configure structlog and stdlib logging alike; `style` is `console` or `json`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask_event,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
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
