"""What the page /status shows, as JSON for programs."""

from collections.abc import Mapping
from typing import Any

from sms.operations.processes import Host, Process
from sms.operations.work import ServiceWork, Work


def as_json(found: Mapping[str, Any]) -> dict[str, Any]:
    waits: Work = found["waits"]
    return {
        "version": found["version"],
        "database": found["database"],
        "now": found["now"],
        "faults": found["faults"],
        "processes": [_process(one) for one in found["processes"]],
        "hosts": [_host(one) for one in found["hosts"]],
        "services": [_service(one) for one in found["shown"]],
        "receipts": {"waiting": waits.receipts, "waiting_seconds": waits.receipts_for},
        "callbacks_waiting": waits.callbacks,
        "queue_tasks": waits.queue,
        "fact_deltas_waiting": waits.fact_deltas,
        "retention_lag_seconds": waits.retention_lag,
        "last_backup": waits.backup and {"at": waits.backup.at, "host": waits.backup.host},
    }


def _process(one: Process) -> dict[str, Any]:
    return {
        "host": one.host,
        "kind": one.kind,
        "process": one.pid,
        "version": one.version,
        "started_at": one.started_at,
        "heartbeat_age_seconds": round(one.age, 1),
        "clock_skew_seconds": round(one.skew, 3),
        "silent": one.silent,
        "doing": one.doing,
        "posted": one.progress,
    }


def _host(one: Host) -> dict[str, Any]:
    return {
        "host": one.name,
        "var_dir_writable": one.var_dir,
        "spool_files": one.spool_files,
        "spool_bytes": one.spool_bytes,
        "spool_kept_files": one.spool_kept,
        "disks": [
            {"folder": disk.folder, "free_bytes": disk.free, "size_bytes": disk.size} for disk in one.disks
        ],
    }


def _service(one: ServiceWork) -> dict[str, Any]:
    return {
        "service": one.slug,
        "paused_at": one.paused_at,
        "paused_because": one.paused_because,
        "breaker_open_seconds": one.trouble,
        "oldest_due_message_seconds": one.due_for,
        "held_sends": one.held_sends,
        "unconfirmed_messages": one.unconfirmed,
    }
