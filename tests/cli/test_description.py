import json
from pathlib import Path

import asyncclick
import pytest

from cigri.cli.amending import Changes
from cigri.cli.description import expanded, lines_of, read, read_lines
from cigri.errors import InvalidJdl


def test_a_description_without_parameter_file_is_left_as_it_is(tmp_path):
    text = b'{"name": 1,  "params": [}'
    (tmp_path / "x.json").write_bytes(text)

    found = read(str(tmp_path / "x.json"), tmp_path)

    assert found.jdl == text
    assert found.lines() is None


def test_a_parameter_file_is_found_from_the_working_directory_and_read_here(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "p.txt").write_text("a\nb\n")
    (tmp_path / "sub/x.json").write_text('{"name": "x", "param_file": "p.txt"}')

    found = read(str(tmp_path / "sub/x.json"), tmp_path)

    assert json.loads(found.jdl) == {"name": "x"}
    assert b"".join(found.lines()) == b"a\nb\n"


def test_a_backslash_of_a_dollar_does_not_hide_the_parameter_file(tmp_path):
    (tmp_path / "p.txt").write_text("a")
    text = rb'{"exec_file": "\$HOME/x", "prologue": ["\\$A"], "param_file": "p.txt"}'
    (tmp_path / "x.json").write_bytes(text)

    found = read(str(tmp_path / "x.json"), tmp_path, Changes(tags=("t",)))

    jdl = {"exec_file": "$HOME/x", "prologue": [r"\$A"], "tags": ["t"]}
    assert json.loads(found.jdl) == jdl
    assert found.parameters == tmp_path / "p.txt"


def test_lines_end_as_unix_has_it_and_a_byte_order_mark_is_no_parameter(tmp_path):
    path = tmp_path / "dos.txt"
    path.write_bytes(b"\xef\xbb\xbfa 1\r\nb\r2\r\nlast")

    assert b"".join(read_lines(path)) == b"a 1\nb\r2\nlast\n"
    assert b"".join(lines_of(str(path))) == b"a 1\nb\r2\nlast"


def test_white_space_at_the_ends_of_a_line_is_not_the_parameters(tmp_path):
    path = tmp_path / "p.txt"
    path.write_bytes(b"  a 1\t\n\n b  2 \r\n")

    assert b"".join(read_lines(path)) == b"a 1\n\nb  2\n"


def test_a_long_file_comes_in_blocks_of_whole_lines(tmp_path):
    path = tmp_path / "long.txt"
    lines = [b"%040d\r\n" % number for number in range(10_000)]
    path.write_bytes(b"".join(lines))

    blocks = list(read_lines(path))

    assert len(blocks) > 3
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) == b"".join(lines).replace(b"\r", b"")


@pytest.mark.parametrize("path", ["~/p", "$HOME/p", "${HOME}/p", "{HOME}/p"])
def test_the_home_directory_is_that_of_who_submits(path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")

    assert expanded(path) == Path("/home/ann/p")


def test_a_parameter_file_that_cannot_be_read_is_a_mistake_of_the_description(tmp_path):
    (tmp_path / "x.json").write_text('{"param_file": "none.txt"}')

    with pytest.raises(InvalidJdl, match=r"/param_file: cannot read .*none.txt: no such file"):
        read(str(tmp_path / "x.json"), tmp_path)


def test_a_description_that_cannot_be_read_is_wrong_usage(tmp_path):
    with pytest.raises(asyncclick.BadParameter, match="no such file"):
        read(str(tmp_path / "none.json"), tmp_path)


@pytest.mark.parametrize("text", ['{"param_file": ', '["param_file"]', '{"param_file": 3}'])
def test_what_is_wrong_with_a_description_is_for_the_server_to_say(tmp_path, text):
    (tmp_path / "x.json").write_text(text)

    found = read(str(tmp_path / "x.json"), tmp_path)

    assert found.jdl == text.encode()
    assert found.parameters is None
