"""The names that facts need, kept when messages are deleted: each send's own, and what it has in common with others (its profile)."""

from django.apps import apps
from django.conf import settings
from django.db import connection

from sms.models.fact import FactProfile
from sms.models.receipt_choice import Receipts
from sms.models.sql.facts.dialect import joined_words, latest_of, quarter_of, true_if

KEYS = (
    *("service_id", "sender_id", "template_id", "version_id", "domain_id"),
    *("policy_group_id", "person_id", "partner", "labels", "test", "untracked", "smartlinks"),
)
# it said so of its links, or left CLICKED out of its receipts, as in `Send.requested_receipts`
_UNTRACKED = f"NOT (s.track_clicks AND s.shorten_links) OR (s.reference IS NULL AND s.receipts & {int(Receipts.CLICKED)} = 0)"


def name_sends(source: str) -> None:
    """Store profile and name of the sends of `source` (a table, or a SELECT in brackets, with `send_id`) that have none yet."""
    keys, named = ", ".join(KEYS), ", ".join(FactProfile.NAMED)
    renamed = ", ".join(f"{name} = excluded.{name}" for name in FactProfile.NAMED)
    same = " AND ".join(f"p.{key} = new.{key}" for key in KEYS)
    users = apps.get_model(settings.AUTH_USER_MODEL)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO sms_factprofile ({keys}, {named})
            SELECT {", ".join(f"new.{key}" for key in KEYS)},
                   max(f.address) AS sender, coalesce(max(t.name), '') AS template,
                   coalesce(max(cast(v.number AS varchar)), '') AS version, coalesce(max(l.host), '') AS domain,
                   coalesce(max(g.name), '') AS policy_group, coalesce(max(u.email), '') AS person
            FROM ({_new_sends(source)}) AS new
            JOIN sms_sender f ON f.id = new.sender_id
            LEFT JOIN sms_messagetemplate t ON t.id = new.template_id
            LEFT JOIN sms_templateversion v ON v.id = new.version_id
            LEFT JOIN sms_shortlinkdomain l ON l.id = new.domain_id
            LEFT JOIN sms_contactpolicygroup g ON g.id = new.policy_group_id
            LEFT JOIN {users} u ON u.id = new.person_id
            GROUP BY {", ".join(f"new.{key}" for key in KEYS)}
            ON CONFLICT ({keys}) DO UPDATE SET {renamed}
        """,
            [],
        )
        cursor.execute(
            f"""
            INSERT INTO sms_reportedsend (send_id, service_id, profile_id, name, quarter, recipients, rejected)
            SELECT new.send_id, new.service_id, p.id, new.name, new.quarter, new.recipients, new.rejected
            FROM ({_new_sends(source)}) AS new
            JOIN sms_factprofile p ON {same}
            WHERE 1 = 1
            ON CONFLICT (send_id) DO NOTHING
        """,
            [],
        )


def _new_sends(source: str) -> str:
    """Sends without a name yet: KEYS and what is stored of each. These few drive the statement, so that each is looked up once."""
    return f"""
        SELECT s.id AS send_id, s.name, s.recipients, s.rejected, {quarter_of(latest_of("s.created_at", "s.due_at"))} AS quarter,
               s.service_id, s.sender_id, coalesce(s.template_id, 0) AS template_id,
               coalesce(s.template_version_id, 0) AS version_id, coalesce(s.link_domain_id, 0) AS domain_id,
               coalesce(s.policy_group_id, 0) AS policy_group_id, coalesce(s.created_by_id, 0) AS person_id, s.partner, s.test,
               coalesce((
                   SELECT {joined_words("its.word")}
                   FROM (SELECT l.word FROM sms_send_labels sl JOIN sms_label l ON l.id = sl.label_id
                         WHERE sl.send_id = s.id ORDER BY l.word) AS its
               ), '') AS labels,
               {true_if(_UNTRACKED)} AS untracked,
               {true_if("length(cast(s.smartlinks AS text)) > 2")} AS smartlinks
        FROM (
            SELECT DISTINCT d.send_id AS id FROM {source} AS d
            WHERE NOT EXISTS (SELECT 1 FROM sms_reportedsend r WHERE r.send_id = d.send_id)
        ) AS one
        JOIN sms_send s ON s.id = one.id AND NOT s.simulated
    """
