"""What an installation of some size needs, computed from what one message costs. Pure; the costs are measured by `tests.bench.sizing`.

Everything grows in proportion but the log: after each checkpoint PostgreSQL writes a page whole into it at its first change. Entries of
an index in random order (numbers, the provider's ids) meet another page each as soon as the index is large.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

SECONDS_A_MONTH = 30 * 86_400
PAGE = 8192
FILLED = (
    0.7  # of a page of an index whose entries come in random order; the free middle is left out of the log
)


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one message, or of one receipt where it says so. Bytes on disk and of log, milliseconds of processor time."""

    disk: float
    wal: float  # on a small database, without whole pages
    dispatch_ms: float
    web_ms: float  # of a receipt
    fold_ms: float  # of a receipt: of the process that folds
    folding_ms: float  # of a receipt in a backlog, with the database's part: only one process folds at a time
    database_ms: float
    receipts: float = 2.0
    random_entries: Mapping[str, float] = field(default_factory=dict)  # bytes of an entry, by index
    whole_page: float = 5700.0  # bytes that a page takes in the log


@dataclass(frozen=True, slots=True)
class House:
    """How it is run. Change what is another at yours."""

    months_kept: int = 3  # before retention archives
    peak: float = 10.0  # the fullest minutes as a multiple of the month's mean
    checkpoint: float = 900.0  # seconds between two, as in deploy/postgresql/textdesk.conf
    busy: float = 0.5  # of a core, at the peak: more, and answers wait
    cores: int = 4  # of a host
    workers: int = 4  # of a web host: two servers, for people and for machines, of two each
    threads: int = 24  # of a worker, each perhaps with a connection
    loops: int = 14  # of a dispatcher, each with a connection
    spare: int = 20  # for people and backups
    least: int = 2  # hosts of each kind, so that one may die


@dataclass(frozen=True, slots=True)
class Size:
    """What so many messages a month need."""

    messages: int
    mean_per_second: float
    peak_per_second: float
    disk_a_month_gb: float
    disk_kept_gb: float
    wal_a_message: float
    wal_a_month_gb: float
    wal_peak_mb_per_second: float
    receipts_a_partition: int
    partitions: int
    messages_kept: int
    dispatch_hosts: int
    dispatch_processes: int
    web_hosts: int
    folder_busy: float  # of the one that folds, at the peak; above 1 receipts wait until it is over
    database_cores: int
    connections: int

    @property
    def row(self) -> dict[str, object]:
        return asdict(self)


def size_of(messages: int, costs: Costs, house: House) -> Size:
    """For `messages` a month."""
    mean = messages / SECONDS_A_MONTH
    peak = mean * house.peak
    kept = messages * house.months_kept
    wal = costs.wal + costs.whole_page * pages_met(mean, kept, costs.random_entries, house.checkpoint)
    dispatch = peak * (costs.dispatch_ms + costs.receipts * costs.fold_ms) / 1000 / house.busy
    web = peak * costs.receipts * costs.web_ms / 1000 / house.busy
    dispatch_hosts, web_hosts = (
        max(house.least, math.ceil(cores / house.cores)) for cores in (dispatch, web)
    )
    processes = max(house.least, math.ceil(dispatch))
    return Size(
        messages=messages,
        mean_per_second=mean,
        peak_per_second=peak,
        disk_a_month_gb=messages * costs.disk / 1e9,
        disk_kept_gb=kept * costs.disk / 1e9,
        wal_a_message=wal,
        wal_a_month_gb=messages * wal / 1e9,
        wal_peak_mb_per_second=peak * wal / 1e6,
        receipts_a_partition=round(messages * costs.receipts),
        partitions=house.months_kept + 1 + 2 + 1,  # the month that runs, two made ahead, and the rest
        messages_kept=kept,
        dispatch_hosts=dispatch_hosts,
        dispatch_processes=processes,
        web_hosts=web_hosts,
        folder_busy=peak * costs.receipts * costs.folding_ms / 1000,
        database_cores=max(2, math.ceil(peak * costs.database_ms / 1000 / house.busy)),
        connections=web_hosts * house.workers * house.threads + processes * house.loops + house.spare,
    )


def pages_met(per_second: float, kept: int, random_entries: Mapping[str, float], checkpoint: float) -> float:
    """Pages changed first after a checkpoint, for each message: n entries at random into p pages meet p × (1 - e^(-n/p)) of them."""
    entries = per_second * checkpoint
    found = 0.0
    for size in random_entries.values():
        pages = max(kept * size / PAGE, 1.0)
        found += pages * -math.expm1(-entries / pages)
    return found / entries if entries else 0.0
