"""The statements behind facts (`sms.reports.facts`), in which deltas are summed into the tables that reports read.

dialect        what PostgreSQL and SQLite spell in different ways
from_messages  what messages add to the facts, as rows like those of `FactDelta`
local_hours    the hour of a row by its service's clock
projections    the sums that are stored, each as a SELECT from such rows
profiles       names of sends, kept when messages are deleted
ledger_table   the temporary table that a rebuild or a comparison fills from the ledger
"""
