#!/usr/bin/env python3
"""Checks an audit export of Textdesk (JSON Lines or CSV) without Textdesk. Python 3.9 or newer, nothing else.

    python verify_audit_export.py audit-demo.jsonl --key-file demo.key --checkpoints desk.log

Without a key it checks that each row is the one whose digest was sealed, that each seal follows from the one before, and, with
--checkpoints, that the chain is the one that the installation's log had on those days. Only with the key of the service (`manage.py
audit_key --service demo`) does it also check that rows and seals were made by an installation that had the key.

Exit code 0: it holds. 1: it does not, and the first row that does not is named. 2: the file is no such export.
"""

import argparse
import csv
import hashlib
import hmac
import json
import sys

FIELDS = (
    "at service_slug actor_kind actor_key actor_label door address act noun noun_key details nonce".split()
)
PROOF = "number id digest previous hash mac seal".split()
ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class NotAnExport(Exception):
    """A sentence about the file."""


def rows_of(path):
    """(what the file says about itself, its rows, how many it says there are)."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        if file.read(1) == "{":
            file.seek(0)
            lines = [json.loads(line) for line in file.read().split("\n") if line.strip()]
            if not lines or "textdesk_audit_export" not in lines[0]:
                raise NotAnExport("its first line does not say that it is an audit export")
            said = lines[-1].get("rows") if set(lines[-1]) == {"rows"} else None
            if said is None:
                raise NotAnExport("its last line is missing: the file was cut off")
            return lines[0], lines[1:-1], said
        file.seek(0)
        found = list(csv.DictReader(file))
        return {}, found, len(found)


def body(row):
    """What the row says, as it was hashed: each column with its length in bytes."""
    parts = [b"2"]
    for name in FIELDS:
        said = None if row[name] is None else row[name].encode("utf-8")
        parts.append(b"-" if said is None else b"%d:%b" % (len(said), said))
    return b"\n".join(parts)


def armed(row):
    """A row of a CSV without the apostrophes that keep spreadsheets from running cells."""
    return {
        name: text[1:] if str(text).startswith("'") and text[1:].lstrip(" ").startswith(ACTIVE) else text
        for name, text in row.items()
    }


def keyed(key, said):
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def wrong_with(row, keys):
    """Why a row does not hold by itself; empty where it does."""
    said = body(row)
    if hashlib.sha256(said).hexdigest() != row["digest"]:
        return "its fields are not those that were sealed"
    link = f"{row['previous']}\n{row['service_slug']}\n{row['number']}\n{row['id']}\n{row['digest']}"
    if hashlib.sha256(link.encode()).hexdigest() != row["hash"]:
        return "its seal does not follow from the one before"
    if keys and row["mac"] not in [keyed(key, said) for key in keys]:
        return "its MAC was not made with this key"
    if keys and row["seal"] not in [keyed(key, b"seal " + row["hash"].encode()) for key in keys]:
        return "its seal was not made with this key"
    return ""


def checkpoints_in(path, service):
    """number → hash, from the installation's checkpoints.jsonl or its log as JSON lines."""
    known = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if "audit_checkpoint" in line:
                try:
                    said = json.loads(line)
                    if said["service"] == service:
                        known[int(said["number"])] = said["hash"]
                except (ValueError, KeyError, TypeError):
                    continue
    return known


def check(rows, about, keys, known):
    """The first thing that is wrong as a sentence, or empty; and notes."""
    notes, before = [], None
    removed = max(
        (int(json.loads(row["details"]).get("until", 0)) for row in rows if row["act"] == "audit.retired"),
        default=0,
    )
    whole = not about.get("selection", {"unknown": True})
    gaps = 0
    for row in sorted(rows, key=lambda one: int(one["number"])):
        number = int(row["number"])
        if row["digest"] != hashlib.sha256(body(row)).hexdigest():
            row = armed(row)
        why = wrong_with(row, keys)
        if not why and before is not None:
            if number == before[0]:
                why = "it is there twice"
            elif number == before[0] + 1 and row["previous"] != before[1]:
                why = "it does not follow from the row before"
        if not why and number in known and known[number] != row["hash"]:
            why = "a checkpoint knows another one in its place"
        expected = before[0] + 1 if before else 1
        if not why and number > expected:
            if whole and number - 1 > removed:
                return f"Row {max(expected, removed + 1)} is missing; the next one is row {number}.", notes
            gaps += 1
        if why:
            return f"Row {number} (id {row['id']}) is the first that does not hold: {why}.", notes
        before = (number, row["hash"])
    last = before[0] if before else 0
    head = about.get("head")
    if whole and head and (last, before and before[1]) != (head["number"], head["hash"]):
        return f"Row {last + 1} is missing: the chain went up to {head['number']}.", notes
    if whole and known and max(known) > last:
        return f"Row {last + 1} is missing: a checkpoint knows number {max(known)}.", notes
    if gaps:
        notes.append(f"{gaps} gaps: a selection of rows, or rows that left by retention")
    if not whole:
        notes.append("a selection proves the rows that it holds, not that none was left out")
    if not keys:
        notes.append("no key given, so only the chain was checked, not who made it")
    seen = sum(1 for number in known if number <= last)
    notes.append(f"{seen} checkpoints agree" if seen else "no checkpoint to compare with")
    return "", notes


def main(arguments=None):
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("file")
    line.add_argument("--key-file", help="the key of the service in hex, one a line")
    line.add_argument("--checkpoints", action="append", default=[], help="may be repeated")
    options = line.parse_args(arguments)
    try:
        keys = []
        if options.key_file:
            with open(options.key_file, encoding="ascii") as file:
                keys = [bytes.fromhex(text) for text in file.read().split()]
        about, rows, said = rows_of(options.file)
        for row in rows:
            if any(name not in row or row[name] is None for name in (*FIELDS, *PROOF)):
                raise NotAnExport("a row lacks a column")
        service = about.get("service", rows[0]["service_slug"] if rows else "")
        known = {}
        for path in options.checkpoints:
            known.update(checkpoints_in(path, service))
        if said != len(rows):
            problem, notes = f"The file says {said} rows and holds {len(rows)}.", []
        else:
            problem, notes = check(rows, about, keys, known)
    except (OSError, ValueError, NotAnExport) as trouble:
        print(f"{options.file} cannot be checked: {trouble}.", file=sys.stderr)
        return 2
    if problem:
        print(problem)
        return 1
    print(f"{len(rows)} rows hold ({'; '.join(notes)}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
