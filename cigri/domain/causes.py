"""Why tasks failed, told by what they said last: equal failures have equal causes.

What a program writes may be anything, from colours to a picture: what is kept is short and plain.
"""

import re
import unicodedata

#: Characters of a line that are kept, and of a cause.
LONGEST_LINE = 500
LONGEST_CAUSE = 200

#: How terminals are told of colours and places (ECMA-48), and of titles.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.", re.DOTALL
)
_NUMBERS = re.compile(
    r"""(?P<hex>\b0[xX][0-9a-fA-F]+\b)
    | (?P<id>\b(?=[0-9a-fA-F]*\d)(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8}[0-9a-fA-F-]*\b)
    | (?P<number>\d+(?:[.,:]\d+)*(?:[eE][+-]?\d+)?)""",
    re.VERBOSE,
)


def plain_lines(text: bytes, most: int) -> list[str]:
    r"""
    Return the last *most* lines of *text* that say anything, as a person may be shown them.

    >>> plain_lines(b"a\x1b[31mred\x1b[0m\x00\n\n 50 %\r100 %\n\xff", 3)
    [' 50 %', '100 %', '�']
    """
    found: list[str] = []
    for line in reversed(re.split(r"[\r\n]", _ESCAPES.sub("", text.decode("utf-8", "replace")))):
        clean = "".join(map(_plain, line[: 2 * LONGEST_LINE])).rstrip()[:LONGEST_LINE]
        if clean.strip():
            found.append(clean)
        if len(found) == most:
            break
    return found[::-1]


def _plain(character: str) -> str:
    if character == "\t":
        return " "
    # Control characters, and those that turn the direction of what follows.
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") else character


def signature(line: str) -> str:
    """
    Return *line* without what differs from one equal failure to the next: its numbers.

    >>> signature("line 12: no file run-0042.dat (code 0xdeadbeef, at 1.5e-3 s)")
    'line N: no file run-N.dat (code X, at N s)'
    """
    folded = _NUMBERS.sub(lambda found: "N" if found["number"] else "X", line)
    return " ".join(folded.split())[:LONGEST_CAUSE]
