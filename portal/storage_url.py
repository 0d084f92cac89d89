"""What `STORAGE_URL` says: a folder, or a bucket of an S3 server with or without object lock. Read by `portal.settings` alone."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SHOULD = (
    "a folder, like /srv/archive, or a bucket, like s3://bucket/prefix?region=eu-central-1&endpoint=https://s3.example.org"
    "&mode=compliance&days=400 (mode is compliance or governance, and goes with days from 1 to 36500; credentials stand elsewhere)"
)
MODES = ("COMPLIANCE", "GOVERNANCE")


def parse(url: str) -> Path | dict[str, Any] | None:
    """A folder, an entry of Django's STORAGES, or None where nothing is set. Raises ValueError."""
    place = urlsplit(url)
    if not url:
        return None
    if place.scheme in ("", "file") and not place.netloc and place.path.startswith("/"):
        return Path(unquote(place.path) if place.scheme else url)
    if place.scheme != "s3" or not place.hostname or "@" in place.netloc or place.fragment:
        raise ValueError(url)
    asked = parse_qs(place.query, strict_parsing=True) if place.query else {}
    if set(asked) - {"region", "endpoint", "mode", "days"} or any(
        len(values) > 1 for values in asked.values()
    ):
        raise ValueError(url)
    said = {name: values[0] for name, values in asked.items()}
    mode, days = said.get("mode", "").upper(), int(said.get("days", "0"))
    locked = mode in MODES and 1 <= days <= 36_500
    if ("mode" in said or "days" in said) and not locked:
        raise ValueError(url)
    endpoint = said.get("endpoint", "")
    if endpoint and (urlsplit(endpoint).scheme not in ("https", "http") or not urlsplit(endpoint).hostname):
        raise ValueError(url)
    prefix = unquote(place.path).strip("/")
    options = {
        "bucket": place.netloc,
        "prefix": f"{prefix}/" if prefix else "",
        "region": said.get("region", ""),
        "endpoint": endpoint,
        "mode": mode,
        "days": days,
    }
    return {"BACKEND": "sms.compliance.archive.places.ArchiveBucket", "OPTIONS": options}
