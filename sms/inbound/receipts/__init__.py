"""Receipts of the provider."""
