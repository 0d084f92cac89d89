"""What the ledger adds to the facts, in SQL: the twin of `sms.ledger.counters`, which says the same for one change at a time."""

from django.db import connection

from sms.ledger.counters import FACT_FIGURES, FACT_KEY, HOUR, NOT_POSTED
from sms.models import Click, KeptFact, Message, Send
from sms.values.histogram import EDGES

COLUMNS = ", ".join(FACT_KEY + FACT_FIGURES)
SHAPE = (
    "measure varchar(8), word varchar(12), code varchar(10), bucket int, send_id bigint, service_id bigint, hour int,"
    " country varchar(2), carrier varchar(20), messages bigint, amount bigint, amount_of bigint, billed bigint, billed_of bigint"
)
# verdict, and which messages it is the best of: human before unsure before machine
_CLICKS = (
    ("human", "human > 0"),
    ("unsure", "human = 0 AND unsure > 0"),
    ("machine", "human = 0 AND unsure = 0 AND machine > 0"),
)


def of_messages() -> str:
    """Rows of COLUMNS for messages whose id is from %s to %s, by send and place; opt-outs are not among them."""
    message, send, click = Message._meta.db_table, Send._meta.db_table, Click._meta.db_table
    kept_out = ", ".join(f"'{state.value}'" for state in sorted(NOT_POSTED))
    place = "send_id, hour, country, carrier"
    counts = ", ".join(
        f"count(*) FILTER (WHERE c.verdict = '{verdict}') AS {verdict}" for verdict, _ in _CLICKS
    )
    parts = [
        "SELECT 'state' AS measure, state AS word, failure AS code, 0 AS bucket, send_id, 0 AS service_id, hour, country, carrier,"  # noqa: S608
        " count(*) AS messages, sum(segments) AS amount, count(*) FILTER (WHERE segments > 0) AS amount_of,"
        " coalesce(sum(segments_billed), 0) AS billed, count(segments_billed) AS billed_of"
        f" FROM told GROUP BY state, failure, {place}",
        _time("wait", "posted_at", "begun", carrier="''"),
        _time("submit", "queued_at", "posted_at", carrier="''"),
        _time("carrier", "submitted_at", "posted_at"),
        _time("deliver", "CASE WHEN state = 'delivered' THEN final_at END", "posted_at"),
        *(
            f"SELECT 'click', '{verdict}', '', 0, send_id, 0, hour, country, carrier, count(*) FILTER (WHERE {best}),"  # noqa: S608
            f" sum({verdict}), 0, 0, 0 FROM clicked GROUP BY send_id, hour, country, carrier"
            for verdict, best in _CLICKS
        ),
    ]
    return (
        f"WITH told AS (SELECT m.id, m.send_id, m.country, m.carrier, m.state, m.segments, m.segments_billed, m.posted_at,"  # noqa: S608
        f" m.queued_at, m.submitted_at, m.final_at, CASE WHEN m.state = 'failed' THEN m.code ELSE '' END AS failure,"
        f" CASE WHEN m.posted_at IS NULL OR m.state IN ({kept_out}) THEN 0 ELSE {_hour('m.posted_at')} END AS hour,"
        f" CASE WHEN s.created_at > s.due_at THEN s.created_at ELSE s.due_at END AS begun"
        f" FROM {message} m JOIN {send} s ON s.id = m.send_id WHERE m.id BETWEEN %s AND %s),"
        # with their places once, since each of them is found among all messages
        f" clicked AS (SELECT t.send_id, t.hour, t.country, t.carrier, {counts} FROM {click} c JOIN told t ON t.id = c.message_id"
        f" WHERE c.rules_version > 0 AND c.message_id BETWEEN %s AND %s GROUP BY t.id, t.send_id, t.hour, t.country, t.carrier)"
        f" {' UNION ALL '.join(parts)}"
    )


def kept() -> str:
    """Rows of COLUMNS for messages that are gone."""
    return f"SELECT {COLUMNS} FROM {KeptFact._meta.db_table}"  # noqa: S608 - our own table


def _time(measure: str, later: str, earlier: str, carrier: str = "carrier") -> str:
    by = "send_id, hour, country" + (", carrier" if carrier == "carrier" else "")
    bucket = _bucket(later, earlier)
    return (
        f"SELECT '{measure}', '', '', {bucket}, send_id, 0, hour, country, {carrier}, count(*), 0, 0, 0, 0 FROM told"  # noqa: S608
        f" WHERE hour <> 0 AND {later} IS NOT NULL GROUP BY {bucket}, {by}"
    )


def _hour(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"floor(extract(epoch FROM {column}) / {HOUR})::int"
    return f"CAST(strftime('%%s', {column}) AS integer) / {HOUR}"


def _bucket(later: str, earlier: str) -> str:
    """As `sms.values.histogram.bucket`. On SQLite by a function of ours, see `prepare`."""
    if connection.vendor == "postgresql":
        edges = ",".join(map(str, EDGES))
        return f"width_bucket(floor(extract(epoch FROM ({later}) - ({earlier})) * 1000)::bigint, ARRAY[{edges}]::bigint[])"
    return f"fact_bucket({later}, {earlier})"
