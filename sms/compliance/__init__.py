"""Audit, archive, retention, erasure and disclosure: one room for each duty."""
