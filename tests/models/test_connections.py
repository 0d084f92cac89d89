"""What every connection to PostgreSQL is told."""

import pytest
from django.db import connection


@pytest.mark.django_db
@pytest.mark.postgresql
def test_no_statement_is_compiled() -> None:
    fresh = connection.copy()
    try:
        with fresh.cursor() as cursor:
            cursor.execute("SHOW jit")
            assert cursor.fetchone() == ("off",)
    finally:
        fresh.close()
