"""Retention of the audit: the one way in which rows leave. Their seals stay, and a row of the audit itself says how far they went."""

from datetime import datetime

from django.db import connection, transaction

from sms.compliance.audit.seal import lock, seal
from sms.models import Actor, AuditEvent, AuditLeave, AuditSeal, audit_proof
from sms.models.audit import audit
from sms.models.sql.audit_rows import body_of

AT_ONCE = 20_000
_OF_SEALS = " FROM sms_auditseal s WHERE s.service_slug = %s AND s.number > %s AND s.number <= %s"


def retire(service_slug: str, *, before: datetime, by: Actor, at_once: int = AT_ONCE) -> int:
    """Remove rows of a service from the beginning of its chain that are older than `before`, `at_once` at most; returns how many.

    Only an unbroken beginning leaves, so that one number says what may be missing. Call it until it returns 0.
    """
    seal(thorough=True)
    with transaction.atomic():
        lock()
        done = retired_until(service_slug)
        until = _last_old(service_slug, done, done + at_once, before)
        if until <= done:
            return 0
        reach = (service_slug, done, until)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT max(s.event_id){_OF_SEALS}", reach)
            permit = AuditLeave.objects.create(service_slug=service_slug, until_id=cursor.fetchone()[0])
            gone = f"DELETE FROM sms_auditevent WHERE id IN (SELECT s.event_id{_OF_SEALS})"  # noqa: S608 - words of ours; values are parameters
            cursor.execute(gone, reach)
            removed = int(cursor.rowcount)
        permit.delete()
        audit(
            "audit.retired",
            by=by,
            service=service_slug,
            noun="audit",
            key=until,
            until=until,
            rows=removed,
            before=before.isoformat(),
        )
    return removed


def _last_old(service_slug: str, done: int, reach: int, before: datetime) -> int:
    """The number up to which every row is older than `before`, `reach` at most."""
    seals = AuditSeal.objects.filter(service_slug=service_slug, number__gt=done, number__lte=reach)
    young = AuditEvent.objects.filter(service_slug=service_slug, at__gte=before).order_by()
    first_kept = seals.filter(event_id__in=young.values("pk")).order_by("number").first()
    if first_kept is not None:
        return first_kept.number - 1
    last = seals.order_by("-number").first()
    return last.number if last else done


def retired_until(service_slug: str) -> int:
    """Up to which number rows may be missing: the highest that a retention row with a true MAC states; 0 for none."""
    body = body_of("e")
    keys = audit_proof.audit_keys.of(service_slug)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.details, e.mac, {body} FROM sms_auditevent e"  # noqa: S608 - words of ours; values are parameters
            " WHERE e.service_slug = %s AND e.noun = 'audit' AND e.act = 'audit.retired'",
            [service_slug],
        )
        rows = cursor.fetchall()
    found = 0
    for details, mac, said in rows:
        text = said.encode() if isinstance(said, str) else bytes(said)
        if any(key.mac(text) == mac for key in keys):
            found = max(found, int(audit_proof.read_details(details).get("until", 0)))
    return found
