"""An upload for a saved audience, read to its end and packed before the transaction begins, so that no lock is held while it is parsed."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.errors import SavedError
from sms.audiences.files import (
    AudienceReader,
    Limits,
    ReadingChoices,
    RejectedRow,
    grouped,
    stream,
    stream_pasted,
)
from sms.audiences.files.choices import AS_SEEN
from sms.audiences.files.findings import findings_of
from sms.audiences.files.rows import why_none
from sms.audiences.storage import ChunkWriter, Digest, packed
from sms.models import AudienceChunk, AudienceVersion
from sms.values.problems import ProblemCode

KEPT_REJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Packed:
    """An upload, read to its end and packed, and not stored yet. About 30 bytes a row in memory."""

    version: AudienceVersion
    chunks: list[AudienceChunk]

    @property
    def recipients(self) -> int:
        return self.version.recipients

    @property
    def rejected(self) -> int:
        return self.version.rejected

    @property
    def figures(self) -> dict[str, Any]:
        """For the audit."""
        found = findings_of(self.version.findings)
        return {"recipients": self.recipients, "rejected": self.rejected, **(found.figures if found else {})}


def pack_file(
    file: Any,
    *,
    name: str,
    country: str,
    column: str | None,
    limits: Limits,
    choices: ReadingChoices = AS_SEEN,
) -> Packed:
    """A CSV or workbook, row by row. Raises AudienceError, and SavedError where no row is usable."""
    reading = stream(file, name=name, country=country, column=column, limits=limits, choices=choices)
    return _packed(reading, source=name, country=country, choices=choices)


def pack_pasted(text: str, *, country: str, limits: Limits, choices: ReadingChoices = AS_SEEN) -> Packed:
    """Numbers from a box. Raises AudienceError, and SavedError where no row is usable."""
    reading = stream_pasted(text, country=country, limits=limits, choices=choices)
    return _packed(reading, source=gettext_noop("pasted numbers"), country=country, choices=choices)


def _packed(reading: AudienceReader, *, source: str, country: str, choices: ReadingChoices) -> Packed:
    version = AudienceVersion(source=source[-200:], country=country, choices=choices.as_json())
    chunks: list[AudienceChunk] = []
    rejects: list[RejectedRow] = []
    writer, digest = ChunkWriter(), Digest()
    for one in reading:
        if isinstance(one, RejectedRow):
            version.rejected += 1
            if version.rejected <= KEPT_REJECTS:
                rejects.append(one)
            continue
        version.recipients += 1
        digest.add((one,))
        writer.add(one)
        if writer.full:
            chunks.append(writer.chunk())
    chunks.append(writer.chunk())
    if not version.recipients:
        why = f" {why_none(grouped(rejects), rejects[0])}" if rejects else ""
        says = _("There is no usable number in it.") + why
        raise SavedError(ProblemCode.NO_RECIPIENTS, says, field="file")
    version.headings, version.column = list(reading.headings), reading.column[:200]
    version.findings = reading.findings.as_json()
    version.rejects, version.digest = packed(rejects) if rejects else b"", str(digest)
    return Packed(version, chunks if chunks[-1].count else chunks[:-1])
