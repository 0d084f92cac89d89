"""From a partner's body to an order for `sms.compose`: the recipients are read, names become things of the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from sms.api.v1.problems import ApiProblem, Fault
from sms.api.v1.send_body import LANES, SOURCES
from sms.api.v1.send_fields import NUMBER, ListedRecipient
from sms.audiences import contents, errors
from sms.audiences.files import (
    Audience,
    AudienceError,
    AudienceReader,
    Limits,
    Streamed,
    by_size,
    stream,
    stream_pasted,
)
from sms.audiences.files.opening import collected
from sms.audiences.files.rows import Row, Rows, Source
from sms.audiences.storage import StoredAudience
from sms.compose import placeholders
from sms.compose.errors import ComposeError
from sms.compose.options import DEFAULT_RECEIPTS, SendOptions
from sms.compose.order import LARGE, Order
from sms.models import AudienceVersion, Resend, Sender, Service

M = TypeVar("M", bound=Model)
NAMED = 1_000  # rows


def order_of(body: dict[str, Any], *, service: Service, limits: Limits) -> Order:
    """The order. Raises `ApiProblem` (422) where the recipients cannot be read or a name is not one of the service."""
    version = _version(body["audience"], service) if body.get("audience") else None
    return Order(
        service=service,
        sender=_sender(body.get("sender"), service),
        template=_named(service.templates.filter(active=True), "template", "name", body),
        policy_group=_named(service.policy_groups.filter(active=True), "policy_group", "name", body),
        link_domain=_named(service.link_domains.filter(active=True), "link_domain", "host", body),
        audience=_kept(version)
        if version
        else _audience(body, country=body.get("country") or service.default_country, limits=limits),
        saved=version,
        content=body.get("text", "").replace("\r\n", "\n"),
        name=body.get("name", ""),
        due_at=body.get("send_at"),
        expires_at=body.get("expires_at"),
        labels=body.get("labels", ()),
        callback_data=body.get("callback_data", ""),
        source=_source(body, version),
        client_reference=body.get("client_reference", ""),
        lane=LANES[body["lane"]],
        resend=Resend(body["resend"]),
        ramp=body["ramp"],
        respect_quiet_hours=body["respect_quiet_hours"],
        language=body.get("language", ""),
        placeholder_sources=placeholders.sources_from_json(body.get("fillings", {})),
        options=_options(body),
    )


def _options(body: dict[str, Any]) -> SendOptions:
    """What is asked of the provider; what the body does not say is as usual."""
    return SendOptions(
        track_clicks=body["track_clicks"],
        tag1=body.get("tag1", ""),
        tag2=body.get("tag2", ""),
        check_consent=body.get("check_consent"),
        apply_frequency_cap=body.get("apply_frequency_cap"),
        receipts=tuple(body.get("receipts", DEFAULT_RECEIPTS)),
        validity=body.get("validity"),
    )


def _version(pk: int, service: Service) -> AudienceVersion:
    found = service.audiences.filter(pk=pk, archived_at=None).select_related("current__audience").first()
    if found is None or found.current is None:
        raise _refused("audience", "Your service has no audience with this id that can be used.")
    return found.current


def _kept(version: AudienceVersion) -> Audience | StoredAudience:
    if version.recipients > LARGE and version.erased_at is None:
        return StoredAudience(version)
    try:
        return contents.audience_of(version)
    except errors.SavedError as problem:
        raise _refused("audience", str(problem)) from None


def _source(body: dict[str, Any], version: AudienceVersion | None) -> str:
    if version is not None:
        return f"{version.audience}, {version}"
    return str(body["file"].name) if body.get("file") else "the API"


def _refused(field: str, sentence: str) -> ApiProblem:
    return ApiProblem(422, "refused", sentence, faults=[Fault(field, sentence)])


def source_of(body: dict[str, Any]) -> str:
    return next(name for name in SOURCES if body.get(name))


@contextmanager
def naming_rows(audience: Rows, source: str) -> Iterator[None]:
    """Where no recipient is left, say why for each row: in a list by its place, in a table by its number."""
    try:
        yield
    except AudienceError as problem:  # a large file is read on the way
        raise _unreadable(problem, source) from None
    except ComposeError as problem:
        rejects = list(islice((bad for block in audience.blocks() for bad in block.rejects), NAMED))
        if not rejects or [one.field for one in problem.problems] != ["audience"]:
            raise
        listed = source == "recipients"
        faults = [
            Fault(f"recipients[{bad.row - 1}]" if listed else source, bad.reason, bad.row, bad.code)
            for bad in rejects
        ]
        raise ApiProblem(422, "refused", str(problem), faults=faults) from None


def _sender(address: str | None, service: Service) -> Sender | None:
    if address is None:  # where there is no default one, `compose` asks for a sender
        return service.senders.filter(active=True, is_default=True).first()
    return _named(service.senders.filter(active=True), "sender", "address", {"sender": address})


def _named(rows: "QuerySet[M]", field: str, by: str, body: dict[str, Any]) -> M | None:
    name = body.get(field)
    if name is None:
        return None
    found = rows.filter(**{by: name}).first()
    if found is None:
        sentence = f"Your service has no {field.replace('_', ' ')} of that name that can be used."
        raise _refused(field, sentence)
    return found


def _audience(body: dict[str, Any], *, country: str, limits: Limits) -> Audience | Streamed:
    options = {
        "country": country,
        "column": body.get("column"),
        "limits": limits,
        "allow_duplicates": body["allow_duplicates"],
    }
    field = source_of(body)
    try:
        if field == "file":
            file = body["file"]
            return by_size(lambda: stream(file, name=file.name, **options), size=file.size)
        if field == "csv":
            return by_size(lambda: stream_pasted(body["csv"], **options), size=len(body["csv"]))
        source = Source(rows=_rows(body["recipients"]))
        return collected(AudienceReader(source, **options | {"column": NUMBER}))
    except AudienceError as problem:
        raise _unreadable(problem, field) from None


def _unreadable(problem: AudienceError, field: str) -> ApiProblem:
    return _refused("column" if problem.code in {"unknown_column", "no_column"} else field, str(problem))


def _rows(recipients: list[ListedRecipient]) -> Iterator[Row]:
    """A table as a spreadsheet would hold it, so that it is read by the same rules. Its headings are row 0."""
    headings = list(dict.fromkeys(name for one in recipients for name in one.values))
    yield 0, [NUMBER, *headings]
    for row, one in enumerate(recipients, start=1):
        yield row, [one.number, *(one.values.get(name, "") for name in headings)]
