"""The body of an audit row (`audit_proof.body`), made by the database from what its columns hold now."""

from django.db import connection

from sms.models import audit_proof
from sms.models.audit import AuditEvent


def audit_body(alias: str = "e") -> str:
    """An expression over the columns of `alias`."""
    others = [f"{alias}.{name}" for name in AuditEvent.PROVEN[1:]]
    if connection.vendor == "postgresql":
        at = f"to_char({alias}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return f"concat_ws(chr(31), '{audit_proof.FORM}', {at}, {', '.join(others)})"
    # as bytes: a column that is no UTF-8 any more is to be reported, not to break the reading
    at = f"CASE WHEN length({alias}.at) = 19 THEN {alias}.at || '.000000' ELSE {alias}.at END"
    joined = " || char(31) || ".join([f"'{audit_proof.FORM}'", f"({at})", *others])
    return f"CAST({joined} AS BLOB)"
