"""The names that facts need, kept for ever: each send's own, and what it has in common with others (its profile)."""

from django.db import connection

from sms.ledger.counters import HOUR
from sms.models import FactProfile, Label, ReportedSend, Send

KEYS = (  # in the order of the columns of `_IDS` and what follows it
    *("service_id", "sender_id", "template_id", "version_id", "domain_id"),
    *("policy_group_id", "person_id", "partner", "labels", "test", "untracked", "smartlinks"),
)
USERS = Send._meta.get_field("created_by").related_model._meta.db_table
_IDS = (
    "s.service_id AS service_id, s.sender_id AS sender_id, coalesce(s.template_id, 0) AS template_id,"
    " coalesce(s.template_version_id, 0) AS version_id, coalesce(s.link_domain_id, 0) AS domain_id,"
    " coalesce(s.policy_group_id, 0) AS policy_group_id, coalesce(s.created_by_id, 0) AS person_id, s.partner AS partner,"
    " new.labels AS labels, s.test AS test, new.untracked AS untracked"
)
_NAMES = (
    "max(f.address) AS sender, coalesce(max(t.name), '') AS template, coalesce(max(cast(v.number AS varchar)), '') AS version,"
    " coalesce(max(l.host), '') AS domain, coalesce(max(g.name), '') AS policy_group, coalesce(max(u.email), '') AS person"
)
_JOINS = (
    "JOIN sms_sender f ON f.id = s.sender_id LEFT JOIN sms_messagetemplate t ON t.id = s.template_id"
    " LEFT JOIN sms_templateversion v ON v.id = s.template_version_id LEFT JOIN sms_shortlinkdomain l ON l.id = s.link_domain_id"
    f" LEFT JOIN sms_contactpolicygroup g ON g.id = s.policy_group_id LEFT JOIN {USERS} u ON u.id = s.created_by_id"
)
_GROUPED = (
    *("service_id", "sender_id", "template_id", "template_version_id", "link_domain_id"),
    *("policy_group_id", "created_by_id", "partner", "test"),
)


def report(source: str) -> None:
    """Make the sends of `source` (a table, or a SELECT in brackets, with `send_id`) known where they are not."""
    profile, sends = FactProfile._meta.db_table, ReportedSend._meta.db_table
    # these few drive the statement: as a condition they were looked for once per send
    new = (
        f"(SELECT one.id, {_labels()} AS labels, {_untracked()} AS untracked FROM (SELECT DISTINCT d.send_id AS id FROM {source} AS d"  # noqa: S608
        f" WHERE NOT EXISTS (SELECT 1 FROM {sends} r WHERE r.send_id = d.send_id)) AS one"
        " JOIN sms_send w ON w.id = one.id) AS new JOIN sms_send s ON s.id = new.id"
    )
    names = ", ".join(f"{name} = excluded.{name}" for name in FactProfile.NAMED)
    links = "CASE WHEN length(cast(s.smartlinks AS text)) > 2 THEN {yes} ELSE {no} END".format(
        **({"yes": "true", "no": "false"} if connection.vendor == "postgresql" else {"yes": "1", "no": "0"})
    )
    grouped = ", ".join((*(f"s.{column}" for column in _GROUPED), "new.labels", "new.untracked", links))
    same = " AND ".join(f"p.{key} = one.{key}" for key in KEYS)
    hour = (
        f"floor(extract(epoch FROM greatest(s.created_at, s.due_at)) / {HOUR})::int"
        if connection.vendor == "postgresql"
        else f"CAST(strftime('%%s', max(s.created_at, s.due_at)) AS integer) / {HOUR}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {profile} ({', '.join(KEYS)}, {', '.join(FactProfile.NAMED)})"  # noqa: S608
            f" SELECT {_IDS}, {links} AS smartlinks, {_NAMES} FROM {new} {_JOINS} GROUP BY {grouped}"
            f" ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET {names}",
            [],
        )
        cursor.execute(
            f"INSERT INTO {sends} (send_id, service_id, profile_id, name, hour, recipients, rejected)"  # noqa: S608
            f" SELECT one.send_id, one.service_id, p.id, one.name, one.hour, one.recipients, one.rejected FROM (SELECT s.id AS send_id,"
            f" s.name AS name, {hour} AS hour, s.recipients AS recipients, s.rejected AS rejected, {_IDS}, {links} AS smartlinks"
            f" FROM {new}) AS one JOIN {profile} p ON {same} WHERE 1 = 1 ON CONFLICT (send_id) DO NOTHING",
            [],
        )


def _labels() -> str:
    """The labels of the send `one.id`, in the order that Python sorts them in, so that the same ones are the same profile."""
    joined = (
        """string_agg(its.word, ',' ORDER BY its.word COLLATE "C")"""
        if connection.vendor == "postgresql"
        else "group_concat(its.word, ',')"  # in the order of the rows below
    )
    return (
        f"coalesce((SELECT {joined} FROM (SELECT l.word FROM {Send.labels.through._meta.db_table} sl"  # noqa: S608
        f" JOIN {Label._meta.db_table} l ON l.id = sl.label_id WHERE sl.send_id = one.id ORDER BY l.word) AS its), '')"
    )


def _untracked() -> str:
    """Whether a send asked for no clicks (`sms.compose.options`): it said so of its links, or left CLICKED out of its receipts."""
    if connection.vendor == "postgresql":
        return (
            "coalesce(w.wishes #>> '{options,trackClicks}' = 'false', false)"
            " OR coalesce(jsonb_typeof(w.wishes -> 'receipts') = 'array' AND NOT (w.wishes -> 'receipts' @> '\"CLICKED\"'), false)"
        )
    return (
        "(coalesce(json_extract(w.wishes, '$.options.trackClicks') = 0, 0) OR coalesce(json_type(w.wishes, '$.receipts') = 'array'"
        " AND NOT EXISTS (SELECT 1 FROM json_each(w.wishes, '$.receipts') WHERE value = 'CLICKED'), 0))"
    )
