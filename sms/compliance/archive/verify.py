"""Whether archives hold what their manifests say. Called by `manage.py verify_archives`, and by an erasure at its end."""

from collections.abc import Iterator
from dataclasses import dataclass

from sms.compliance.archive.files import ArchiveError, store
from sms.compliance.archive.read import forget_blocks, rows_of
from sms.models import Archive
from sms.models.paging import given


@dataclass(frozen=True, slots=True)
class ArchiveVerdict:
    """One archive: how many messages were read, and the first thing that is wrong, as a sentence."""

    archive: Archive
    messages: int
    broken: str = ""


def verify(service_id: int | None = None) -> Iterator[ArchiveVerdict]:
    """Every archive, the oldest first: the whole file's digest, each block's, its rows, their count and ids."""
    archives = Archive.objects.filter(given(service_id=service_id)).exclude(name="")
    yield from map(_verify, archives.order_by("pk"))


def unknown_files() -> list[str]:
    """Files in the folder that no manifest names: left from a restored backup, or another installation's."""
    known = {name for pair in Archive.objects.values_list("name", "spare") for name in pair}
    return [name for name in store.names() if name not in known]


def _verify(archive: Archive) -> ArchiveVerdict:
    done = 0
    try:
        digest, size = store.digest(archive.name)
        if (digest, size) != (archive.sha256, archive.size):
            says = f"{archive.name} is not the file that was written: its SHA-256 is another."
            return ArchiveVerdict(archive, 0, says)
        for block in archive.blocks.order_by("number"):
            forget_blocks()  # from the file itself
            ids = [row.id for row in rows_of(archive, block)]
            if (len(ids), min(ids), max(ids)) != (block.messages, block.first_id, block.last_id):
                says = f"Block {block.number} of {archive.name} holds other messages."
                return ArchiveVerdict(archive, done, says)
            done += len(ids)
    except ArchiveError as problem:
        return ArchiveVerdict(archive, done, str(problem))
    return ArchiveVerdict(archive, done)
