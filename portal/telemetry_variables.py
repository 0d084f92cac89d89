"""Where traces and reports of errors go, from the variables that OpenTelemetry and Sentry have for it. Read by `portal.settings` alone."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from portal.env import (
    env_bool,
    env_choice,
    env_fraction,
    env_parsed,
    env_str,
    env_url,
    needs_extra,
)

SAMPLERS = (  # no trace comes in from outside, so those that look at a parent are the same
    *("always_on", "always_off", "traceidratio"),
    *("parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"),
)


@dataclass(frozen=True, slots=True)
class TraceCollector:
    endpoint: str
    headers: dict[str, str] = field(repr=False)
    service: str
    share: float


@dataclass(frozen=True, slots=True)
class SentryProject:
    dsn: str = field(repr=False)
    environment: str


def traces() -> TraceCollector | None:
    endpoint = env_url("OTEL_EXPORTER_OTLP_ENDPOINT")
    headers = env_parsed("OTEL_EXPORTER_OTLP_HEADERS", "", _headers, should="like name=value,name=value")
    env_choice("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", choices=("http/protobuf",))
    sampler = env_choice("OTEL_TRACES_SAMPLER", "always_on", choices=SAMPLERS)
    share = env_fraction("OTEL_TRACES_SAMPLER_ARG", 1.0)
    if not sampler.endswith("traceidratio"):
        share = 0.0 if sampler.endswith("always_off") else 1.0
    service = env_str("OTEL_SERVICE_NAME", "textdesk")
    if env_bool("OTEL_SDK_DISABLED", False) or not endpoint:
        return None
    needs_extra("OTEL_EXPORTER_OTLP_ENDPOINT", "otel", "opentelemetry.exporter.otlp.proto.http")
    return TraceCollector(endpoint, headers, service, share)


def sentry() -> SentryProject | None:
    dsn = env_parsed("SENTRY_DSN", "", _dsn, should="like https://key@host/1")
    environment = env_str("SENTRY_ENVIRONMENT", "production")
    if not dsn:
        return None
    needs_extra("SENTRY_DSN", "sentry", "sentry_sdk")
    return SentryProject(dsn, environment)


def _headers(text: str) -> dict[str, str]:
    """Percent-encoded, as OpenTelemetry writes what a collector wants to be sent. Raises ValueError."""
    pairs = [one.split("=", 1) for one in text.split(",") if one.strip()]
    return {unquote(name.strip()).lower(): unquote(value.strip()) for name, value in pairs}


def _dsn(text: str) -> str:
    """Of a project, with its public key. Raises ValueError."""
    parts = urlsplit(text)
    project = parts.path.rpartition("/")[2]
    whole = parts.scheme in ("https", "http") and parts.username and parts.hostname and project.isdigit()
    if text and not whole:
        raise ValueError("not the address of a project")
    return text
