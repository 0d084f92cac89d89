"""What the database's own file keeps of rows that were changed or deleted before.

On SQLite deleted text is overwritten while an erasure runs, and a file that is not too large is rewritten at its end, so that nothing
of earlier edits is left in free pages. PostgreSQL's dead rows go with its vacuum. Called by erasure.
"""

from django.db import Error, connection

LARGEST = 300_000_000  # bytes: a second or so for each hundred million, in which nothing else is written


def overwrite_from_now() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def empty_journal() -> None:
    """SQLite: move what the journal holds into the file, where deleted text was overwritten."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rewrite_file() -> str:
    """SQLite: rewrite the file, without anything of before; what the certificate says of it."""
    if connection.vendor != "sqlite":
        return (
            "Rows as they were before go with PostgreSQL's next vacuum; write-ahead logs and backups expire by the rules "
            "of its operator."
        )
    size = _size()
    if size > LARGEST:
        return f"The file has {size:,} bytes and was not rewritten: run VACUUM on it while nothing is sent."
    if connection.in_atomic_block:
        return "Not rewritten within a transaction."
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
    except Error:
        return "The file was in use and was not rewritten: run VACUUM on it while nothing is sent."
    return "The file was rewritten, so that nothing of replaced text is left in it. Copies of it, as in backups, are yours to expire."


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])
