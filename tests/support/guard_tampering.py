"""What a person with SQL might do to what guards the audit, so that later changes go unseen: triggers, permits, the whole audit.

Called by the tests and by `tests.bench.audit`, inside a transaction that is rolled back; `audit.witnesses` finds each.
"""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from sms.models.sql import audit_guard
from tests.support.audit_tampering import sql

TABLES = (audit_guard.ROWS, audit_guard.SEALS)


@dataclass
class GuardTamperer:
    """`folder` is a copy of this host's; the audit was checked before, and had rows."""

    folder: Path
    chance: random.Random

    @property
    def kinds(self) -> list[Callable[[], None]]:
        more = [self.disable_triggers, self.enable_for_replicas, self.replace_the_function]
        more += [self.narrow_a_trigger, self.add_a_rule, self.add_row_security]
        return [
            self.drop_triggers,
            self.drop_one_trigger,
            self.make_a_trigger_harmless,
            self.swallow_new_rows,
            self.leave_a_permit,
            self.empty_all,
            self.lose_the_folder,
            *(more if connection.vendor == "postgresql" else ()),
        ]

    def drop_triggers(self) -> None:
        audit_guard.remove(connection)

    def drop_one_trigger(self) -> None:
        self._drop(*self._one())

    def make_a_trigger_harmless(self) -> None:
        """It has the name, and never refuses."""
        name, table = self._one()
        self._drop(name, table)
        if connection.vendor == "postgresql":
            when = "TRUNCATE" if "truncate" in name else "INSERT"
            sql(
                f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION sms_audit_guard()"
            )
        else:
            sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN 0 BEGIN SELECT RAISE(ABORT, 'x'); END")

    def swallow_new_rows(self) -> None:
        """What eve does is not recorded."""
        table = self.chance.choice(TABLES)
        if connection.vendor == "postgresql":
            sql("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
            sql(f"CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")
        else:
            sql(
                f"CREATE TRIGGER swallow BEFORE INSERT ON {table} WHEN NEW.service_slug = 'eve'"
                " BEGIN SELECT RAISE(IGNORE); END"
            )

    def leave_a_permit(self) -> None:
        until = self.chance.randint(1, 1 << 40)
        sql("INSERT INTO sms_auditleave (service_slug, until_id) VALUES ('shop', %s)", until)

    def empty_all(self) -> None:
        """Tables and folder at once: nothing is left that says how it was, but the checks."""
        audit_guard.remove(connection)
        for table in TABLES:
            sql(f"DELETE FROM {table}")
        audit_guard.install(connection)
        shutil.rmtree(self.folder)

    def lose_the_folder(self) -> None:
        shutil.rmtree(self.folder)

    # --- PostgreSQL alone ---
    def disable_triggers(self) -> None:
        name, table = self._one()
        sql(f"ALTER TABLE {table} DISABLE TRIGGER {self.chance.choice((name, 'USER'))}")

    def enable_for_replicas(self) -> None:
        name, table = self._one()
        sql(f"ALTER TABLE {table} ENABLE REPLICA TRIGGER {name}")

    def replace_the_function(self) -> None:
        sql(
            "CREATE OR REPLACE FUNCTION sms_audit_guard() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN IF TG_OP = ''DELETE'' THEN RETURN OLD; END IF; RETURN NEW; END'"
        )

    def narrow_a_trigger(self) -> None:
        """It stands, for one column or under a condition only."""
        table = self.chance.choice(TABLES)
        self._drop("audit_guard_rows", table)
        of = self.chance.choice(
            (("UPDATE OF mac OR DELETE", ""), ("UPDATE OR DELETE", "WHEN (OLD.service_slug = 'x')"))
        )
        sql(
            f"CREATE TRIGGER audit_guard_rows BEFORE {of[0]} ON {table} FOR EACH ROW {of[1]}"
            " EXECUTE FUNCTION sms_audit_guard()"
        )

    def add_a_rule(self) -> None:
        sql(f"CREATE RULE swallow AS ON INSERT TO {self.chance.choice(TABLES)} DO INSTEAD NOTHING")

    def add_row_security(self) -> None:
        sql(f"ALTER TABLE {self.chance.choice(TABLES)} ENABLE ROW LEVEL SECURITY")

    def _one(self) -> tuple[str, str]:
        table = self.chance.choice(TABLES)
        ends = (
            ("rows", "truncate")
            if connection.vendor == "postgresql"
            else (f"{table}_update", f"{table}_delete")
        )
        return f"audit_guard_{self.chance.choice(ends)}", table

    def _drop(self, name: str, table: str) -> None:
        sql(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
