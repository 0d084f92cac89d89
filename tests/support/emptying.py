"""A database emptied row by row after a test with real transactions.

Django's `flush` truncates every table and makes content types and permissions again: 1.4 s on PostgreSQL for a test that wrote a few rows.
"""

from collections.abc import Callable

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from sms.models import Region
from sms.models.sql import audit_guard


def back_to_now() -> Callable[[], None]:
    """What brings the database back to what it holds now, beside the rows of migrations nothing."""
    regions = list(Region.objects.all())
    made = {model: set(model.objects.values_list("pk", flat=True)) for model in (Permission, ContentType)}
    stay = {model._meta.db_table for model in made} | {"django_migrations"}
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - stay

    def bring_back() -> None:
        audit_guard.remove(connection)
        with transaction.atomic():  # keys between tables are looked at when it ends
            with connection.cursor() as cursor:
                for table in tables:
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
            for model, known in made.items():
                model.objects.exclude(pk__in=known).delete()
            Region.objects.bulk_create(regions)
        audit_guard.install(connection)

    return bring_back


def last_ids() -> Callable[[], None]:
    """What lets ids go on where they stand now."""
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I', sequencename), last_value FROM pg_sequences WHERE schemaname = current_schema()"
            if is_postgres
            else "SELECT name, seq FROM sqlite_sequence"
        )
        last = cursor.fetchall()

    def bring_back() -> None:
        with connection.cursor() as cursor:
            if is_postgres:
                for name, value in last:
                    cursor.execute(
                        "SELECT setval(%s::regclass, %s, %s)", [name, value or 1, value is not None]
                    )
                return
            cursor.execute("DELETE FROM sqlite_sequence")
            cursor.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", last)

    return bring_back
