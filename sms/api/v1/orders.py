"""From a partner's body to an order for `sms.compose`: the recipients are read, names become things of the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from sms.api.v1.problems import MOST_ERRORS, ApiProblem, refused
from sms.api.v1.send_body import SOURCES
from sms.api.v1.send_fields import CORRELATION_ID, NUMBER, ListedRecipient
from sms.audiences import contents, errors, files
from sms.audiences.files.opening import collected
from sms.audiences.files.rows import Row, Source
from sms.audiences.storage import StoredAudience
from sms.catalogue import key_policies
from sms.compose import placeholders
from sms.compose.errors import RowsNotTaken
from sms.compose.options import asking_for
from sms.compose.order import LARGE, Order
from sms.models import ApiKey, AudienceVersion, Receipts, Sender, SendOptions, Service
from sms.models.sql.clock import corrected_now
from sms.values.nearest import nearest
from sms.values.problems import Problem, ProblemCode
from sms.values.text import match_key
from sms.webex.addresses import bare_sender

M = TypeVar("M", bound=Model)
NAMED = 1_000  # rows
# by the heading of its column; a reference is apart from values, which may have one of theirs
BESIDE = {
    CORRELATION_ID: attrgetter("correlation_id"),
    "recipient reference": attrgetter("reference"),
}
CANDIDATES = 500  # names that are compared with one that is not known


def order_of(body: dict[str, Any], *, key: ApiKey, service: Service, limits: files.Limits) -> Order:
    """The order. Raises `ApiProblem` (422) where the recipients cannot be read or a name is not one of the service."""
    version = _version(body["audience"], key, service) if body.get("audience") else None
    return Order(
        service=service,
        sender=_sender(body.get("sender"), service, key),
        template=_named(service.templates.filter(active=True), "template", "name", body, key),
        audience=_kept(version)
        if version
        else _audience(body, country=body.get("country") or service.default_country, limits=limits),
        saved=version,
        content=body.get("text", ""),
        name=body.get("name", ""),
        due_at=body.get("send_at"),
        labels=body.get("labels", ()),
        source=_source(body, version),
        client_reference=body.get("client_reference", ""),
        placeholder_sources=placeholders.sources_from_json(body.get("fillings", {})),
        strict=body["strict"],
        transactional=key_policies.is_transactional(key),
        key=key,
        options=_options(body, key, service),
        values_as_given=bool(body.get("recipients")),  # a table may have columns for other purposes
    )


def _options(body: dict[str, Any], key: ApiKey, service: Service) -> SendOptions:
    """What is asked of the provider; what the body does not say is as the key has it, or as usual."""
    given = {field.name: body[field.name] for field in SendOptions.fields() if field.name in body}
    asked = asking_for(
        **given
        | {
            "policy_group": _named(
                service.policy_groups.filter(active=True), "policy_group", "name", body, key
            ),
            "link_domain": _named(service.link_domains.filter(active=True), "link_domain", "host", body, key),
        }
    )
    return key_policies.complete(
        asked,
        key,
        given=given,
        due_at=body.get("send_at"),
        receipts=Receipts(asked.receipts),
        now=corrected_now(),
    )


def _version(pk: int, key: ApiKey, service: Service) -> AudienceVersion:
    kept = key.mine(service.audiences.filter(pk=pk, archived_at=None))
    found = kept.select_related("current__audience").first()
    if found is None or found.current is None:
        raise _not_usable("audience", "There is no audience with this id that your key can use.")
    return found.current


def _kept(version: AudienceVersion) -> files.Audience | StoredAudience:
    if version.recipients > LARGE and version.erased_at is None:
        return StoredAudience(version)
    try:
        return contents.audience_of(version)
    except errors.SavedError as problem:
        raise refused(problem.problem) from None


def _source(body: dict[str, Any], version: AudienceVersion | None) -> str:
    if version is not None:
        return f"{version.audience}, {version}"
    return str(body["file"].name) if body.get("file") else "the API"


def _not_usable(field: str, says: str) -> ApiProblem:
    return refused(Problem(ProblemCode.NOT_USABLE, field, says))


def source_of(body: dict[str, Any]) -> str:
    return next(name for name in SOURCES if body.get(name))


@contextmanager
def naming_rows(source: str) -> Iterator[None]:
    """Where rows are not taken, say why for each: in a list by its place, in a table by its number."""
    try:
        yield
    except files.AudienceError as problem:  # a large file is read on the way
        raise refused(problem.for_program(source)) from None
    except RowsNotTaken as problem:
        rows = [
            Problem(
                bad.code,
                f"{source}[{bad.row - 1}]" if source == "recipients" else source,
                bad.reason,
                bad.row,
            )
            for bad in problem.rejects[:MOST_ERRORS]
        ]
        raise ApiProblem(422, "refused", str(problem), problems=rows, total=problem.count) from None


def _sender(address: str | None, service: Service, key: ApiKey) -> Sender | None:
    if address is None:  # where there is no default one, `compose` asks for a sender
        return service.senders.filter(active=True, is_default=True).first()
    given = {"sender": bare_sender(address)}
    return _named(service.senders.filter(active=True), "sender", "address", given, key)


def _named(rows: "QuerySet[M]", field: str, by: str, body: dict[str, Any], key: ApiKey) -> M | None:
    """Of one that there is not, the error lists what there is, where the key may read the catalogue."""
    name = body.get(field)
    if name is None:
        return None
    found = rows.filter(**{by: name}).first()
    if found is None:
        says = f"Your service has no {field.replace('_', ' ')} of that name that can be used."
        choices: tuple[str, ...] = ()
        if "catalogue" in key.scopes:
            choices = nearest(name, rows.order_by(by).values_list(by, flat=True)[:CANDIDATES])
            says += f" There are: {', '.join(choices) or 'none'}."
        else:
            says += " A key with the scope “catalogue” is told which there are."
        raise refused(Problem(ProblemCode.NOT_USABLE, field, says, choices=choices))
    return found


def _audience(body: dict[str, Any], *, country: str, limits: files.Limits) -> files.Audience | files.Streamed:
    options = {
        "country": country,
        "column": body.get("column"),
        "choices": files.ReadingChoices.of(body),
        "limits": limits,
        "allow_duplicates": body["allow_duplicates"],
    }
    field = source_of(body)
    try:
        if field == "file":
            file = body["file"]
            return files.by_size(lambda: files.stream(file, name=file.name, **options), size=file.size)
        if field == "csv":
            return files.by_size(lambda: files.stream_pasted(body["csv"], **options), size=len(body["csv"]))
        source = Source(rows=_rows(body["recipients"]))
        return collected(files.AudienceReader(source, **options | {"column": NUMBER}))
    except files.AudienceError as problem:
        raise refused(problem.for_program(field)) from None


def _rows(recipients: list[ListedRecipient]) -> Iterator[Row]:
    """A table as a spreadsheet would hold it, so that it is read by the same rules. Its headings are row 0.

    What stands beside the numbers has columns of its own, whatever values are called.
    """
    beside = {heading: read for heading, read in BESIDE.items() if any(map(read, recipients))}
    names = list(dict.fromkeys(name for one in recipients for name in one.values))
    taken = {match_key(heading): heading for heading in beside}
    same = {heading: [name for name in names if taken.get(match_key(name)) == heading] for heading in beside}
    headings = [name for name in names if match_key(name) not in taken]
    yield 0, [NUMBER, *headings, *beside]
    for row, one in enumerate(recipients, start=1):
        values = [one.values.get(name, "") for name in headings]
        called = [
            next(filter(None, [read(one), *(one.values.get(name, "") for name in same[heading])]), "")
            for heading, read in beside.items()
        ]
        yield row, [one.number, *values, *called]
