"""The reports of several sends in one archive, each as its own page gives it."""

import zipfile
from collections.abc import Callable, Iterable
from typing import IO

from sms.audiences.files import Limits
from sms.models import Actor, Send
from sms.sends import report


def write_reports(
    file: IO[bytes], sends: Iterable[Send], *, by: Actor, limits: Limits, whole: Callable[[Send], bool]
) -> None:
    """A ZIP with one CSV for each; `whole` says whether the person gets its whole numbers. Each is in the audit."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for send in sends:
            made = report.taken(send, by=by, kind="csv", limits=limits, numbers=whole(send))
            with archive.open(report.name_of(send, kind="csv"), "w") as entry:
                for line in report.csv_of(made):
                    entry.write(line.encode())
