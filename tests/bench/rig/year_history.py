"""Two years of a busy team, made inside PostgreSQL for `tests.bench.year`: sends by habits, with all that came of them."""

from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from portal.models import User
from sms.compose import labels
from sms.models import (
    ContactPolicyGroup,
    Label,
    MessageTemplate,
    Price,
    Region,
    Send,
    Sender,
    SenderKind,
    Service,
    ShortLinkDomain,
    TemplateVersion,
)
from sms.models.sql.insert import insert
from sms.models.sql.receipt_months import keep_months
from tests.bench.rig.copied_rows import drop_indexes

STEP = 500_000
PLACES = ("GB", "GB", "GB", "GB", "DE", "DE", "FR", "US", "CA", "IN")
COUNTRIES = tuple(dict.fromkeys(PLACES))
CODES = ("7203", "7204", "7205", "7110", "7301", "7102")
HELD = ("sms_message", "sms_receipt", "sms_click")


def make(
    shop: Service, count: int, *, sends: int, habits: int, shares: tuple[float, float]
) -> dict[str, object]:
    """`count` messages in `sends`: half of the sends in the year before last, with `shares[0]` of the messages."""
    first = _sends(shop, sends, _habits(shop, habits), count, shares)
    dropped = _without_indexes()
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # no foreign key is looked up ten million times
        cursor.execute("SET synchronous_commit = off")
        made = _messages(cursor, first, sends)
        _months(cursor)
        _receipts(cursor, shop, made)
        for statement in dropped:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in HELD:
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
        cursor.execute("SELECT (SELECT count(*) FROM sms_receipt), (SELECT count(*) FROM sms_click)")
        receipts, clicks = cursor.fetchone()
    return {
        "messages": made,
        "sends": sends,
        "receipts": receipts,
        "clicks": clicks,
        "gb": round(size / 1e9, 1),
    }


def _habits(shop: Service, count: int) -> list[dict[str, object]]:
    """What sends of a kind have in common."""
    kinds = (SenderKind.LONG_CODE, SenderKind.SHORT_CODE, SenderKind.ALPHANUMERIC)
    senders = [*shop.senders.all()] + [
        Sender.objects.create(service=shop, address=f"S{n}", kind=kinds[n % 3]) for n in range(3)
    ]
    domains = [
        ShortLinkDomain.objects.create(
            service=shop, host=f"go{n}.example.test", region=Region.objects.first()
        )
        for n in range(2)
    ]
    groups = [
        ContactPolicyGroup.objects.create(
            service=shop, name=f"group {n}", group_id=f"g{n}", check_consent=True
        )
        for n in range(2)
    ]
    people = [User.objects.create(email=f"person{n}@example.test") for n in range(10)]
    versions = []
    for n in range(8):
        template = MessageTemplate.objects.create(service=shop, name=f"template_{n}", text="Hello")
        versions += [
            TemplateVersion.objects.create(
                template=template,
                number=number,
                text="Hello",
                state="retired" if number == 1 else "published",
            )
            for number in (1, 2)
        ]
    Label.objects.bulk_create(Label(service=shop, word=f"w{n}") for n in range(12))
    for country in COUNTRIES:
        for kind in ("", SenderKind.SHORT_CODE):
            Price.objects.create(
                service=shop, country=country, sender_kind=kind, amount=Decimal("0.04"), currency="EUR"
            )
    found = []
    for n in range(count):
        version = versions[n % 16] if n % 3 else None
        found.append(
            {
                "sender_id": senders[n % 4].pk,
                "text": "" if version else "Hello",
                "template_id": version.template_id if version else None,
                "template_version_id": version.pk if version else None,
                "link_domain_id": domains[n % 2].pk if n % 5 < 2 else None,
                "policy_group_id": groups[n % 2].pk if n % 7 == 0 else None,
                "created_by_id": people[n % 10].pk if n % 6 else None,
                "partner": f"Partner {n % 2}" if n % 6 == 0 else "",
                "smartlinks": [[7, 60]] if n % 20 == 3 else [],
                "words": [f"w{(n * step) % 12}" for step in range(1, n % 4 + 1)],
            }
        )
    return found


def _sends(
    shop: Service, count: int, habits: list[dict[str, object]], messages: int, shares: tuple[float, float]
) -> int:
    now, names = timezone.now() - timedelta(hours=1), None
    rows, words = [], []
    for n in range(count):
        habit = dict(habits[(n * 7919) % len(habits)])
        words.append(habit.pop("words"))
        at = now - timedelta(days=730 * (1 - n / count))
        size = round(messages * shares[n >= count // 2] / (count / 2))
        row = {
            "service_id": shop.pk,
            "name": f"History {n}",
            "state": "finished",
            "due_at": at,
            "created_at": at,
            "recipients": size,
        } | habit
        names = tuple(row)
        rows.append(list(row.values()))
    keys = insert(Send, names, rows)
    by_word = {label.word: label.pk for label in Label.objects.filter(service=shop)}
    link = Send.labels.through
    link.objects.bulk_create(
        [
            link(send_id=key, label_id=by_word[word])
            for key, its in zip(keys, words, strict=True)
            for word in labels.normalized_set(its)
        ],
        batch_size=5000,
    )
    return keys[0]


def _without_indexes() -> list[str]:
    """Take indexes and constraints of the large tables away; returns the statements that bring them back, made at once over all rows."""
    back = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid::regclass::text = ANY(%s) AND contype = 'u'",
            [list(HELD)],
        )
        for table, name, what in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            back.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}")
        return [*back, *drop_indexes(cursor, *HELD)]


def _messages(cursor, first: int, sends: int) -> int:
    """Send by send, so that ids follow time as they do in life. Ids begin at 1."""
    carrier = "country || '-' || (1 + (h >> 8) % 4)"
    places = ", ".join(f"'{one}'" for one in PLACES)
    codes = ", ".join(f"'{one}'" for one in CODES)
    for start in range(first, first + sends, 1000):
        cursor.execute(
            "INSERT INTO sms_message (send_id, msisdn, country, row, text, substitutions, zone, segments, state, attempt, resent, code,"
            " detail, provider_id, carrier, segments_billed, posted_at, queued_at, submitted_at, final_at)"
            " SELECT id, '+4477' || lpad((h % 100000000)::text, 8, '0'), country, n, 'A message of long ago.', '{}', '',"
            " 1 + (h % 9 = 0)::int,"
            " state, 1, 0, CASE WHEN state = 'failed' THEN (ARRAY[" + codes + "])[1 + h % 6] ELSE '' END, '',"
            " md5(id || '-' || n), "
            + carrier
            + ", CASE WHEN country IN ('CA', 'IN') THEN NULL ELSE 1 + (h % 9 = 0)::int END, posted,"
            " posted + interval '1 ms' * (60 + h % 60 + 90 * random()), posted + interval '1 s' * (0.4 + random()),"
            " CASE WHEN state = 'no_report' THEN NULL ELSE posted + interval '1 s' * (1 + exp(0.8 * random() + (h % 3) * 0.6)) END"
            " FROM (SELECT s.id, n, h, s.due_at + interval '1 s' * (n % 900) AS posted, (ARRAY["
            + places
            + "])[1 + (h >> 4) % 10] AS country,"
            " CASE WHEN h % 25 = 0 THEN 'failed' WHEN h % 33 = 0 THEN 'no_report' ELSE 'delivered' END AS state"
            " FROM sms_send s CROSS JOIN LATERAL generate_series(1, s.recipients) AS n"
            " CROSS JOIN LATERAL (SELECT abs(hashint8(s.id * 100003 + n)::bigint) AS h) AS hashed"
            " WHERE s.id >= "
            + str(start)
            + " AND s.id < "
            + str(min(start + 1000, first + sends))
            + " ORDER BY s.id, n) AS each"
        )
    cursor.execute("SELECT count(*) FROM sms_message")
    return int(cursor.fetchone()[0])


def _months(cursor) -> None:
    """Parts of the table of receipts, as a desk has them that was there all the time; from the last month, so that none counts as over."""
    cursor.execute(
        "SELECT DISTINCT date_trunc('month', posted_at, 'UTC') FROM sms_message WHERE posted_at IS NOT NULL ORDER BY 1 DESC"
    )
    for (month,) in cursor.fetchall():
        keep_months(month)


def _receipts(cursor, shop: Service, count: int) -> None:
    """Three of each message, as long as real ones, and clicks of one in twenty where links were short."""
    body = (
        '{"deliveryInfoNotification":{"deliveryInfo":{"timeStamp":"2026-03-02T09:15:07.412Z","Description":"Delivered","code":"7500",'
        '"messageCount":"1","deliveryChannel":"SMS","additionalInfo":"","destination":"447700900001","destinationType":"msisdn",'
        '"deliveryStatus":"Delivered"},"subtid":"","transid":"1f0c2b64-97f2-4d6b-8f0a-000000000000","callbackData":"","correlationid":"'
    )
    for start in range(1, count + 1, STEP):
        cursor.execute(
            "INSERT INTO sms_receipt (service_id, message_id, attempt, dedupe, raw, received_at)"
            f" SELECT {shop.pk}, m.id, 1, decode(md5(m.id || '-' || k), 'hex'),"
            f" convert_to('{body}' || m.id || '-' || k || '\"}}}}', 'UTF8'),"
            " m.posted_at + interval '1 s' * k FROM sms_message m CROSS JOIN generate_series(1, 3) AS k"
            f" WHERE m.id >= {start} AND m.id < {start + STEP}"
        )
    cursor.execute(
        "INSERT INTO sms_click (message_id, receipt_id, url, ip, user_agent, verdict, reason, rules_version, at)"
        " SELECT m.id, m.id * 3, 'https://example.test/a', '192.0.2.7', 'Mozilla/5.0',"
        " (ARRAY['human', 'machine', 'unsure'])[1 + m.id % 3], 'bench', 1, m.posted_at + interval '5 min'"
        " FROM sms_message m JOIN sms_send s ON s.id = m.send_id WHERE s.link_domain_id IS NOT NULL AND m.id % 20 = 0"
        " AND m.state = 'delivered'"
    )
    cursor.execute(
        "INSERT INTO sms_optout (service_id, msisdn, country, source, evidence, send_id, by, at, lifted_by, lifted_because)"
        f" SELECT {shop.pk}, '+44' || (7000000000 + m.id), 'GB', 'inbound', '', m.send_id, '', m.posted_at + interval '1 h', '', ''"
        " FROM sms_message m WHERE m.id % 500 = 0"
    )
