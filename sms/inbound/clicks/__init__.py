"""Clicks: who made each, by which rule, and how often."""
