"""Durable files step by step, zones of numbers and names, and correlation ids to the letter."""

import os
import re
import stat
from pathlib import Path

import pytest

from sms.values import correlation_id, durable_file, time_zones


@pytest.fixture
def synced(monkeypatch) -> list[str]:
    """What was synced to the disk, in order: files by name, folders with a slash."""
    found: list[str] = []
    real = os.fsync

    def note(fd: int) -> None:
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        found.append(name + ("/" if stat.S_ISDIR(os.fstat(fd).st_mode) else ""))
        real(fd)

    monkeypatch.setattr(os, "fsync", note)
    return found


def test_a_file_is_on_the_disk_before_its_name_is(tmp_path, synced):
    folder = tmp_path / "kept"
    folder.mkdir()
    with durable_file.created(folder / "a") as file:
        file.write(b"one")
        assert synced == []
    assert synced == ["a", "kept/"] and (folder / "a").read_bytes() == b"one"
    assert (folder / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError), durable_file.created(folder / "a"):
        pass
    synced.clear()
    durable_file.put(folder / "a", b"two")
    part, then = synced
    assert (
        re.fullmatch(r"a\.[0-9a-f]{8}\.part", part)
        and then == "kept/"
        and (folder / "a").read_bytes() == b"two"
    )
    assert [path.name for path in folder.iterdir()] == ["a"]
    synced.clear()
    durable_file.append(folder / "b", b"1")
    durable_file.append(folder / "b", b"2")
    assert synced == ["b", "kept/"] * 2 and (folder / "b").read_bytes() == b"12"
    assert (folder / "b").stat().st_mode & 0o777 == 0o600
    durable_file.put(folder / "c", b"x", mode=0o644)
    assert (folder / "c").stat().st_mode & 0o777 == 0o644


def test_two_who_put_a_file_at_one_moment_leave_the_whole_of_the_last(tmp_path, monkeypatch):
    path, sync = tmp_path / "a", os.fsync

    def another_writes(fd):
        monkeypatch.setattr(os, "fsync", sync)
        durable_file.put(path, b"of the other, which is longer")
        sync(fd)

    monkeypatch.setattr(os, "fsync", another_writes)
    durable_file.put(path, b"mine")
    assert path.read_bytes() == b"mine" and [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_file_that_cannot_be_put_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "a"
    durable_file.put(path, b"one")

    def no_room(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="no space"):
        durable_file.put(path, b"two")
    assert path.read_bytes() == b"one" and [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_write_that_takes_a_part_at_a_time_writes_all(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    durable_file.append(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+447710000000", 1),
        ("447710000000", 1),
        ("+80012345678", 0),
        ("+999", 0),
        ("nonsense", 0),
        ("", 0),
        ("+12125550123", 1),
        ("+61412345678", None),
        ("+61236618300", 1),
    ],
)
def test_how_many_zones_a_number_can_be_in(number, zones):
    found = time_zones.of_number(number)
    assert found == tuple(sorted(found))
    assert len(found) > 1 if zones is None else len(found) == zones or "7710000000" in number
    if number.endswith("7710000000"):
        assert "Europe/London" in found
    if number == "+12125550123":
        assert found == ("America/New_York",)
    if number == "+61236618300":
        assert found == ("Australia/Sydney",)


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("", ""), ("  ", ""), (" europe/london ", "Europe/London"), ("America/new york", "America/New_York"),
        ("utc", "UTC"), ("Etc/UTC", "Etc/UTC"), ("EST", None), ("GMT+2", None), ("Etc/GMT+2", None), ("x" * 41, None),
    ],
)  # fmt: skip
def test_a_zone_as_people_write_it(cell, zone):
    if zone is not None:
        assert time_zones.read(cell) == zone
        return
    shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
    with pytest.raises(time_zones.BadZone) as refused:
        time_zones.read(cell)
    assert str(refused.value) == f"“{shown}” is not a time zone. Write a place, like Europe/London."


@pytest.mark.parametrize(
    ("number", "written"), [(0, "0"), (1, "1"), (35, "z"), (36, "10"), (1295, "zz"), (1296, "100")]
)
def test_a_correlation_id(number, written):
    made = correlation_id.write(message_id=number, attempt=3, key="k")
    stem, attempt, check = made.split("-")
    assert (stem, attempt, len(check)) == (written, "3", 16)
    for text in (made, made.upper()):
        assert correlation_id.read(text, key="k") == correlation_id.Correlation(number, 3)
    for wrong in (made[:-1], made + "a", f"1{made}", made.replace("-3-", "-4-"), "", "é" * 10, "a" * 51):
        assert correlation_id.read(wrong, key="k") is None
    assert correlation_id.read(made, key="other") is None
