"""An erasure from the request to its certificate. Idempotent: run again after a kill, it erases what is left and ends the same way."""

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from sms.audiences import storage
from sms.compliance import archive
from sms.compliance.erasure import journal, waiting_files
from sms.compliance.erasure.naming import Subject
from sms.compliance.erasure.places import PLACES, Done
from sms.compliance.erasure.preconditions import why_not
from sms.ledger.crash_points import point
from sms.models import Actor, AudienceChunk, Erasure, InboundMessage, Message, OptOut, Service, audit_proof
from sms.models.audit import audit
from sms.models.sql import replaced_text
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention

log = structlog.get_logger(__name__)
HERE_AGAIN = gettext_noop("Erased before, and here again from a backup.")


def ask(
    service: Service, e164: str, *, reason: str, by: Actor, again: bool = False, now: datetime | None = None
) -> Erasure:
    """Note that a number (E.164) is to be erased; the one that was asked for before where that is still to be done."""
    digest = hidden(e164, key=service.number_key)
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).filter(pk=service.pk).first()
        same = Erasure.objects.filter(service=service, digest=digest)
        waiting = same.exclude(state=Erasure.State.DONE).first()
        if waiting is not None:
            return waiting
        made = Erasure.objects.create(
            service=service,
            number=e164,
            digest=digest,
            reason=Mention(e164).without(reason)[:300],
            asked_by=by.label,
            asked_at=now or corrected_now(),
            again=again,
        )
        audit("erasure.asked", made, by=by)
    return made


def perform(erasure: Erasure, *, folder: Path, rest: Callable[[], object] = lambda: None) -> bool:
    """Erase everywhere and verify; True where it is done, False where it has to wait (`waits_for` says for what).

    Raises ArchiveError where an archive cannot be read or written; the next run erases what is left.
    """
    service = Service.objects.get(pk=erasure.service_id)
    subject = Subject(service, erasure.number, rest, folder)
    if _waits(erasure, subject):
        return False
    Erasure.objects.filter(pk=erasure.pk).update(state=Erasure.State.RUNNING, waits_for="")
    waiting_files.bring_in()
    # a file that a killed process left half-way cannot be rewritten
    archive.resume(service, rest=lambda: False)
    replaced_text.overwrite_from_now()
    entries: dict[str, dict[str, Any]] = {}
    before = {entry["place"]: entry for entry in erasure.certificate.get("places", [])}
    for place in PLACES:
        done = place.erase(subject)
        if isinstance(done, int):
            done = Done(done)
        earlier = before.get(place.words, {})
        entries[place.words] = {
            "place": place.words,
            "changed": done.changed + earlier.get("changed", 0),
            "note": done.note or earlier.get("note", ""),
        }
        # what a killed process did counts on the certificate too
        Erasure.objects.filter(pk=erasure.pk).update(certificate={"places": [*(before | entries).values()]})
        point("erasing")
        rest()
    for place in PLACES:
        entries[place.words]["left"] = place.left(subject)
        rest()
    # what began in between may have read rows before they were erased: it is waited for, and everything erased again
    if _waits(erasure, subject):
        return False
    _finish(erasure, subject, [*entries.values()])
    replaced_text.empty_journal()
    return True


def _waits(erasure: Erasure, subject: Subject) -> bool:
    erasure.waits_for = why_not(subject)[:300]
    if erasure.waits_for:
        erasure.state = Erasure.State.WAITING
        Erasure.objects.filter(pk=erasure.pk).update(state=erasure.state, waits_for=erasure.waits_for)
    return bool(erasure.waits_for)


def _finish(erasure: Erasure, subject: Subject, entries: list[dict[str, Any]]) -> None:
    now = corrected_now()
    changed, left = (sum(entry[name] for entry in entries) for name in ("changed", "left"))
    certificate = {
        "certificate": "erasure of a number",
        "id": erasure.pk,
        "service": subject.service.slug,
        "number": erasure.digest,
        "reason": erasure.reason,
        "asked_by": erasure.asked_by,
        "asked_at": erasure.asked_at.isoformat(),
        "done_at": now.isoformat(),
        "host": socket.gethostname(),
        "places": entries,
        "changed": changed,
        "left": left,
        "again": erasure.again,
    }
    mac = audit_proof.audit_keys.of(subject.service.slug)[0].mac(canonical(certificate))
    journal.add(subject.service.slug, erasure.digest, at=now)
    with transaction.atomic():
        open_ = Erasure.objects.filter(pk=erasure.pk).exclude(state=Erasure.State.DONE)
        first = open_.update(
            state=Erasure.State.DONE, number="", done_at=now, certificate=certificate, mac=mac
        )
        if first:  # unless another host was first
            audit("erasure.done", erasure, by=Actor.system(), changed=changed, left=left)
    erasure.refresh_from_db()
    log.info("number_erased", service=certificate["service"], erasure=erasure.pk, changed=changed, left=left)


def genuine(erasure: Erasure) -> bool:
    keys = audit_proof.audit_keys.of(str(erasure.certificate.get("service", "")))
    said = canonical(erasure.certificate)
    return any(key.mac(said) == erasure.mac for key in keys)


def canonical(certificate: dict[str, Any]) -> bytes:
    return b"erasure " + json.dumps(certificate, sort_keys=True, separators=(",", ":")).encode()


def waiting() -> list[Erasure]:
    return list(Erasure.objects.exclude(state=Erasure.State.DONE).order_by("pk"))


def again(service: Service, *, by: Actor, digests: Sequence[str] = ()) -> list[Erasure]:
    """Ask once more for every number that was erased before and is here again, as after a restored backup.

    Only digests of erased numbers are kept, so numbers of this database are hashed and compared. `digests` are those of a
    list from elsewhere.
    """
    done = Erasure.objects.filter(service=service, state=Erasure.State.DONE)
    known = set(done.values_list("digest", flat=True))
    known |= set(journal.of(service.slug)) | set(digests)
    if not known:
        return []
    key, found = service.number_key, set[str]()
    for number in _numbers(service):
        if number not in found and hidden(number, key=key) in known:
            found.add(number)
    reason = HERE_AGAIN
    return [ask(service, number, reason=reason, by=by, again=True) for number in sorted(found)]


def _numbers(service: Service) -> Iterator[str]:
    """Every number that stands somewhere in this service, some of them more than once."""
    for rows in (
        Message.objects.filter(send__service=service),
        OptOut.objects.filter(service=service),
        InboundMessage.objects.filter(service=service),
    ):
        plain = rows.filter(msisdn__startswith="+").order_by().values_list("msisdn", flat=True)
        yield from plain.iterator(chunk_size=10_000)
    chunks = AudienceChunk.objects.filter(version__service=service).only("numbers")
    for chunk in chunks.iterator(chunk_size=50):
        yield from (f"+{number}" for number in storage.numbers_of(chunk))
    for row in archive.every(service):
        if row.msisdn.startswith("+"):
            yield row.msisdn
