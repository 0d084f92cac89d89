"""Files that are whole under their name, and private to their owner."""

import pytest

from sms.values import durable_file


def test_content_is_put_as_a_whole_over_what_was_there(tmp_path):
    path = tmp_path / "one.txt"
    durable_file.put(path, b"before")
    durable_file.put(path, b"after", mode=0o640)
    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_leaves_what_was_there_and_nothing_else(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="folder"):
        durable_file.put(tmp_path / "folder", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_lines_are_appended_to_a_file_of_our_own(tmp_path):
    path = tmp_path / "lines"
    durable_file.append(path, b"1\n")
    durable_file.append(path, b"2\n")
    assert path.read_bytes() == b"1\n2\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_file_is_never_written_over(tmp_path):
    with durable_file.created(tmp_path / "new") as file:
        file.write(b"content")
    with pytest.raises(FileExistsError), durable_file.created(tmp_path / "new"):
        pass
    assert (tmp_path / "new").read_bytes() == b"content"
