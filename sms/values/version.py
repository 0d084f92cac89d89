"""The version of Textdesk: here and nowhere else. CHANGELOG.md says what it brings."""

VERSION = "1.0.0"
