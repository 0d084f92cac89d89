"""Retention, archives, erasures and subject access."""
