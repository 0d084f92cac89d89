"""Statements that Django's ORM has no words for."""
