"""Campaign descriptions as users keep them: a file or standard input, and a parameter file."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import asyncclick
import attrs

from cigri.cli.amending import NO_CHANGES, Changes
from cigri.errors import InvalidJdl

#: Bytes of a parameter file that are read at a time.
BLOCK = 1 << 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@attrs.frozen
class Description:
    """What is to be submitted."""

    #: Where it came from, for messages.
    source: str
    #: JSON text without `param_file`; what is wrong with it is for the server to say.
    jdl: bytes
    #: The file that `param_file` named.
    parameters: Path | None = None

    def lines(self) -> Iterable[bytes] | None:
        """Return the parameter lines, read as they are asked for, or `None`."""
        return None if self.parameters is None else read_lines(self.parameters)


def read(source: str, working_directory: Path, changes: Changes = NO_CHANGES) -> Description:
    """
    Return what the file *source*, or `-` for standard input, describes, with *changes* to it.

    A relative `param_file` starts at *working_directory*.

    Raises:
        InvalidJdl: Its parameter file cannot be read.
    """
    name, text = given(source)
    return of_text(name, changes.applied(plain_dollars(text)), working_directory)


def of_text(name: str, text: bytes, working_directory: Path) -> Description:
    """
    Return what the JSON *text* that came from *name* describes.

    Raises:
        InvalidJdl: Its parameter file cannot be read.
    """
    text = plain_dollars(text)
    # Most descriptions have none; one with a million parameters is not parsed to find that out.
    if b'"param_file"' not in text:
        return Description(name, text)
    try:
        jdl = json.loads(text)
    except ValueError:
        return Description(name, text)
    if not isinstance(jdl, dict) or not isinstance(jdl.get("param_file"), str):
        return Description(name, text)
    path = working_directory / expanded(jdl.pop("param_file"))
    _check_readable(path)
    return Description(name, json.dumps(jdl).encode(), path)


def plain_dollars(text: bytes) -> bytes:
    r"""Return JSON in which `\$` is `$`, as files of CiGri 3 have it; pairs stay."""
    hidden = b"\xff\xff"  # never in UTF-8
    if rb"\$" not in text or hidden in text:
        return text
    return text.replace(rb"\\", hidden).replace(rb"\$", b"$").replace(hidden, rb"\\")


def expanded(path: str) -> Path:
    """Return a path with the home directory of who submits in place of `~` or `$HOME`."""
    for alias in ("$HOME", "${HOME}", "{HOME}"):
        if path == alias or path.startswith(f"{alias}/"):
            path = "~" + path.removeprefix(alias)
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for unknown users


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines, which white space at their ends is no part of."""
    with path.open("rb") as file:
        for block in _blocks(file):
            yield b"".join(line.strip() + b"\n" for line in block)


def lines_of(source: str) -> Iterator[bytes]:
    """
    Return blocks of the lines of the file *source*, or `-` for standard input, as they are.

    Raises:
        BadParameter: It cannot be read.
    """
    try:
        file = sys.stdin.buffer if source == "-" else Path(source).open("rb")  # noqa: SIM115 - below
    except OSError as error:
        raise _unreadable(source, error) from error
    return _closing(file)


def _closing(file: BinaryIO) -> Iterator[bytes]:
    with file:
        for block in _blocks(file):
            yield b"".join(block).replace(b"\r\n", b"\n")


def _blocks(file: BinaryIO) -> Iterator[list[bytes]]:
    first = True
    while lines := file.readlines(BLOCK):
        if first:
            lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
            first = False
        yield lines


def given(source: str) -> tuple[str, bytes]:
    """
    Return the name of *source*, and what is in it.

    Raises:
        BadParameter: It cannot be read.
    """
    try:
        if source == "-":
            return "standard input", sys.stdin.buffer.read()
        return source, Path(source).read_bytes()
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: str, error: OSError) -> asyncclick.BadParameter:
    reason = (error.strerror or str(error)).lower()
    return asyncclick.BadParameter(f"cannot read {source}: {reason}")


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidJdl.at("/param_file", f"cannot read {path}: {reason}") from error
