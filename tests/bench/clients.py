"""Clients as people have them, by every route, at Textdesk and at the sandbox: `python -m tests.bench.clients [name …]`.

Each sends without a length, hears the receipt at its notifyUrl, and reads the message back. Directly at Textdesk it also tries every
other kind of address, with bodies that are too large among them. One JSON line for each client; then the matrix, and how many failed.
"""

import json
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support import proxies
from tests.support.callback_receiver import receiving
from tests.support.client_journey import OK, SANDBOX_KEY, Route, journey
from tests.support.client_programs import PROGRAMS, NoAnswer, Program
from tests.support.processes import Textdesk, textdesk

ABSENT = "not installed"
PROXIES: dict[str, tuple[str, Callable[[Path, int], AbstractContextManager[tuple[int, int]]]]] = {
    "nginx": ("nginx", proxies.nginx),
    "Caddy": ("caddy", proxies.caddy),
    "Caddy, HTTP/2 behind": ("caddy", partial(proxies.caddy, http2=True)),
}


@dataclass(frozen=True)
class Door:
    """An address, and what it answers to a whole body."""

    name: str
    method: str
    path: str
    content: bytes
    status: int


def main(wanted: list[str]) -> int:
    chosen = [
        one for one in PROGRAMS if not wanted or any(word.lower() in one.name.lower() for word in wanted)
    ]
    cells: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as name, receiving() as receiver, ExitStack() as stack:
        folder = Path(name)
        running = stack.enter_context(textdesk(folder, f"sqlite:///{folder / 'clients.sqlite3'}"))
        routes = list(_routes(running, folder, stack))
        programs = folder / "programs"
        programs.mkdir()
        for program in chosen:
            row = cells[program.name] = {}
            if program.missing:
                row |= dict.fromkeys([route.name for route in routes], ABSENT)
            else:
                program.prepare(programs)
                for route in routes:
                    row[route.name] = (
                        journey(program, route, programs, receiver) if route.ports[0] else ABSENT
                    )
                row["other addresses"] = _other_addresses(program, running, programs, routes[0])
            print(json.dumps({"client": program.name} | row), flush=True)
    failed = sum(said not in (OK, ABSENT) for row in cells.values() for said in row.values())
    _print_matrix(cells)
    print(json.dumps({"bench": "clients", "failed": failed, "goal": 0}), flush=True)
    return failed


def _routes(running: Textdesk, folder: Path, stack: ExitStack) -> Iterator[Route]:
    made = (
        "api_key",
        "--service",
        "demo",
        "--name",
        "clients",
        "--scopes",
        "send,read",
        "--per-minute",
        "9000",
    )
    ours = running.manage(*made).stdout.strip()
    for target, port, key in (
        ("Textdesk", running.port, ours),
        ("sandbox", running.sandbox_port, SANDBOX_KEY),
    ):
        yield Route(target, (port, port), key)
        for number, (name, (tool, proxy)) in enumerate(PROXIES.items()):
            place = folder / f"{target}{number}"
            place.mkdir()
            ports = stack.enter_context(proxy(place, port)) if proxies.tool(tool) else (0, 0)
            yield Route(f"{target} by {name}", ports, key)


def _other_addresses(program: Program, running: Textdesk, folder: Path, route: Route) -> str:
    wrong = []
    for door in doors(running):
        if door.method == "PATCH" and not program.knows_patch:
            continue
        try:
            status, _ = program.ask(folder, door.method, running.url + door.path, route.key, door.content)
        except NoAnswer as problem:
            wrong.append(f"{door.name}: {problem}")
        else:
            wrong += [f"{door.name}: {status}"] if status != door.status else []
    return "; ".join(wrong) or OK


def doors(running: Textdesk) -> list[Door]:
    """With bodies that nobody sent before."""
    (service,) = running.rows("Service.objects.values('receipt_token')")
    token, mark = service["receipt_token"], uuid.uuid4().hex
    order = {"channel": "sms", "from": "TEXTDESK", "to": [{"msisdn": ["447712399001"]}]}
    send = json.dumps(order | {"content": {"type": "text", "text": mark}}).encode()
    flat = json.dumps({"from": "TEXTDESK", "to": "447712399001", "content": f"1 {mark}"}).encode()
    sms_body = {"senderid": "TEXTDESK", "text": f"2 {mark}"}
    nested = {
        "deliverychannel": "sms",
        "channels": {"sms": sms_body},
        "destination": [{"msisdn": ["447712399001"]}],
    }
    audience = json.dumps({"name": mark, "csv": "number\n+447712399001\n"}).encode()
    known = running.rows("SavedAudience.objects.values('id')[:1]")
    told = {"deliveryInfoNotification": {"deliveryInfo": {"deliveryStatus": "Delivered"}, "transid": mark}}
    sms = {"oa": "447712399009", "da": "72345", "message": "Hello", "tid": mark}
    found = [
        Door("older flat", "POST", "/v1/sms/messages", flat, 202),
        Door("older nested", "POST", "/resources/v1/messaging", json.dumps(nested).encode(), 200),
        Door("/api/v1", "POST", "/api/v1/audiences", audience, 201),
        Door("receipt", "POST", f"/receipts/{token}/", json.dumps(told).encode(), 200),
        Door("inbound", "POST", f"/inbound/{token}/", json.dumps(sms).encode(), 200),
        Door("too large", "POST", f"/receipts/{token}/", json.dumps(told).encode().ljust(70_000), 413),
        Door("too large order", "POST", "/v2/messages", send.ljust(5_000_001), 400),
    ]
    if known:
        renamed = json.dumps({"name": f"{mark} 2"}).encode()
        found.append(Door("/api/v1 PATCH", "PATCH", f"/api/v1/audiences/{known[0]['id']}", renamed, 200))
    return found


def _print_matrix(cells: dict[str, dict[str, str]]) -> None:
    columns = list(dict.fromkeys(column for row in cells.values() for column in row))
    print("\n".join(f"{number}: {column}" for number, column in enumerate(columns, start=1)))
    width = max(map(len, cells), default=0)
    print(" " * width, *(f"{number:>4}" for number in range(1, len(columns) + 1)))
    short = {OK: "ok", ABSENT: "-", "": ""}
    for name, row in cells.items():
        print(name.ljust(width), *(f"{short.get(row.get(column, ''), 'FAIL'):>4}" for column in columns))


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
