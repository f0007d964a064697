"""Campaign descriptions as users keep them: a file or standard input, and a parameter file."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import asyncclick
import attrs

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


def read(source: str, working_directory: Path) -> Description:
    """
    Return what the file *source*, or `-` for standard input, describes.

    A relative `param_file` starts at *working_directory*.

    Raises:
        InvalidJdl: Its parameter file cannot be read.
    """
    name, text = _text(source)
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


def expanded(path: str) -> Path:
    """Return a path with the home directory of who submits in place of `~` or `$HOME`."""
    for alias in ("$HOME", "${HOME}", "{HOME}"):
        if path == alias or path.startswith(f"{alias}/"):
            path = "~" + path.removeprefix(alias)
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for unknown users


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines that end as Unix has it."""
    with path.open("rb") as file:
        first = True
        while lines := file.readlines(BLOCK):
            if first:
                lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
                first = False
            yield b"".join(lines).replace(b"\r\n", b"\n")


def _text(source: str) -> tuple[str, bytes]:
    try:
        if source == "-":
            return "standard input", sys.stdin.buffer.read()
        return source, Path(source).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise asyncclick.BadParameter(f"cannot read {source}: {reason}") from error


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidJdl.at("/param_file", f"cannot read {path}: {reason}") from error
