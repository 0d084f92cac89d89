"""The domain: everything that would still exist if the browser disappeared."""

VERSION = "1.0.0"  # here and nowhere else; CHANGELOG.md says what it brings
