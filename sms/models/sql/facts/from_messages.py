"""What messages add to the facts, in SQL: the twin of `sms.ledger.counters`, which says the same for one change at a time."""

from sms.models.fact import FIGURES, NAMED
from sms.models.message import NOT_POSTED
from sms.models.sql.facts.dialect import bucket_of, quarter_of

COLUMNS = ", ".join(NAMED + FIGURES)
NOT_POSTED_LIST = ", ".join(f"'{state.value}'" for state in sorted(NOT_POSTED))


def of_messages() -> str:
    """Rows of COLUMNS for messages by send and place; opt-outs are not among them.

    Parameters: the first and the last id, and both once more for their clicks.
    """
    return f"""
        WITH placed AS (
            SELECT m.id, m.send_id, m.country, m.carrier, m.state, m.segments, m.segments_billed,
                   m.posted_at, m.queued_at, m.submitted_at, m.final_at,
                   CASE WHEN m.state = 'failed' THEN m.code ELSE '' END AS failure,
                   CASE WHEN m.posted_at IS NULL OR m.state IN ({NOT_POSTED_LIST}) THEN 0
                        ELSE {quarter_of("m.posted_at")} END AS quarter,
                   CASE WHEN s.created_at > s.due_at THEN s.created_at ELSE s.due_at END AS first_due
            FROM sms_message m JOIN sms_send s ON s.id = m.send_id AND NOT s.simulated
            WHERE m.id BETWEEN %s AND %s
        ),
        clicked AS (  -- by message, with its place: finding it again for each verdict would cost three times as much
            SELECT p.send_id, p.quarter, p.country, p.carrier,
                   count(*) FILTER (WHERE c.verdict = 'human') AS human,
                   count(*) FILTER (WHERE c.verdict = 'unsure') AS unsure,
                   count(*) FILTER (WHERE c.verdict = 'machine') AS machine
            FROM sms_click c JOIN placed p ON p.id = c.message_id
            WHERE c.rules_version > 0 AND c.message_id BETWEEN %s AND %s
            GROUP BY p.id, p.send_id, p.quarter, p.country, p.carrier
        )
        SELECT 'state' AS measure, state AS word, failure AS code, 0 AS bucket, send_id, 0 AS service_id, quarter, country, carrier,
               count(*) AS messages, sum(segments) AS amount, count(*) FILTER (WHERE segments > 0) AS amount_of,
               coalesce(sum(segments_billed), 0) AS billed, count(segments_billed) AS billed_of
        FROM placed
        GROUP BY state, failure, send_id, quarter, country, carrier
        UNION ALL {_durations("wait", "first_due", "posted_at")}
        UNION ALL {_durations("submit", "posted_at", "queued_at")}
        UNION ALL {_durations("carrier", "posted_at", "submitted_at", by_carrier=True)}
        UNION ALL {_durations("deliver", "posted_at", _DELIVERED_AT, by_carrier=True)}
        UNION ALL {_clicks("human", best="human > 0")}
        UNION ALL {_clicks("unsure", best="human = 0 AND unsure > 0")}
        UNION ALL {_clicks("machine", best="human = 0 AND unsure = 0 AND machine > 0")}
    """


_DELIVERED_AT = "CASE WHEN state = 'delivered' THEN final_at END"


def _durations(measure: str, start: str, end: str, *, by_carrier: bool = False) -> str:
    place = "send_id, quarter, country" + (", carrier" if by_carrier else "")
    bucket = bucket_of(end, start)
    return f"""
        SELECT '{measure}', '', '', {bucket}, send_id, 0, quarter, country, {"carrier" if by_carrier else "''"}, count(*), 0, 0, 0, 0
        FROM placed
        WHERE quarter <> 0 AND {end} IS NOT NULL
        GROUP BY {bucket}, {place}
    """


def _clicks(verdict: str, *, best: str) -> str:
    """Clicks of a verdict, and the messages (`best`) that count for it."""
    return f"""
        SELECT 'click', '{verdict}', '', 0, send_id, 0, quarter, country, carrier, count(*) FILTER (WHERE {best}), sum({verdict}), 0, 0, 0
        FROM clicked
        GROUP BY send_id, quarter, country, carrier
    """
