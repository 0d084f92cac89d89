"""Tests that drive the pages with Chromium; see conftest.py."""
