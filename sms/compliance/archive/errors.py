"""What can be wrong with an archive. One root, so that a page catches all of it."""


class ArchiveError(RuntimeError):
    """An archive that cannot be read; the text says which, and what to do."""


class Missing(ArchiveError):
    """Its file is not where it should be."""


class Damaged(ArchiveError):
    """Its file is there and does not hold what was written."""
