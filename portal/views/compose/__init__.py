"""Composing a send: edit, save, preview, review, plan, test sends, work on large audiences."""
