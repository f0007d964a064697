"""The files of a submission: a script, and behind it what its jobs read there."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import attrs

from cigri.clusters.node.script import ROWS, Source, compress
from cigri.clusters.worker import encode
from cigri.errors import SubmissionRejected

#: For each member where it begins and how much it is, so that a job finds its own.
_TABLE = """\
set -- {table}
shift $((_c_p / {rows} * 2))
"""
#: The members follow the script itself, from a byte on.
_ONE_FILE = "_c_b={begin:<9}\n"
_FROM_ONE = 'tail -c "+$((_c_b + $1))" "$_c_t/run" 2>/dev/null'
#: They are cut into files of the same size, which are read from one on.
_PARTS = """\
_c_all() {{
_c_i=$(($1 / {most} + 1))
tail -c "+$(($1 % {most} + 1))" "$_c_t/part.$_c_i" || return
while [ "$((_c_i += 1))" -le {last} ]; do cat "$_c_t/part.$_c_i" || return; done
}}
"""
_FROM_ALL = '_c_all "$1" 2>/dev/null'
#: Cut out of one file, and split by the shell: a task starts sooner than by one more process.
_CUT_RECORD = """\
_c_r=$(dd if="$_c_t/run" bs=64k iflag=skip_bytes,count_bytes skip="$((_c_b + $1 - 1))" \\
count="$2" 2>/dev/null{unpack})
IFS=$_c_n
set -- $_c_r
IFS=' '
shift $((_c_p % {rows}))
_c_r=$1
"""
_UNPACK = " | gzip -dc 2>/dev/null"
_READ_RECORD = """\
_c_r=$({tail} | gzip -dc 2>/dev/null | LC_ALL=C sed -n "$((_c_p % {rows} + 1)){{p;q;}}")
"""
_READ_GROUP = '_c_l=$2\n{tail} | gzip -dc 2>/dev/null | LC_ALL=C sed "${{_c_l}}q"'


def in_files(
    portions: Sequence[Sequence[bytes]],
    write: Callable[[Source], str],
    *,
    is_array: bool,
    most_bytes: int,
) -> dict[str, bytes]:
    """
    Return by name the files that a script and what it reads make, none above *most_bytes*.

    Args:
        portions: The lines that are packed together: `ROWS` records, or the file of a group.
        write: Returns the script that reads by a source.
        is_array: Whether a job needs one line of a portion, or all.
        most_bytes: Of one file.

    Raises:
        SubmissionRejected: The script alone is larger, for what its settings hold.
    """
    plain = [b"".join(portion) for portion in portions]
    if is_array and sum(map(len, plain)) < most_bytes:
        # Nothing to unpack, as long as one request carries it so.
        run = _Layout(write, ROWS, plain, list(map(len, plain))).whole(_cut(""))
        if len(run) <= most_bytes:
            return {"run": run}
    packed = list(map(compress, plain))
    if is_array:
        layout = _Layout(write, ROWS, packed, list(map(len, packed)))
        run = layout.whole(_cut(_UNPACK))
    else:
        layout = _Layout(write, 1, packed, list(map(len, portions)))
        run = layout.whole(_READ_GROUP.format(tail=_FROM_ONE))
    if len(run) <= most_bytes:
        return {"run": run}
    read = (_READ_RECORD if is_array else _READ_GROUP).format(tail=_FROM_ALL, rows=ROWS)
    return _in_parts(layout, read, most_bytes)


def _in_parts(layout: "_Layout", read: str, most_bytes: int) -> dict[str, bytes]:
    data = b"".join(layout.members)
    parts = [data[i : i + most_bytes] for i in range(0, len(data), most_bytes)]
    alone = layout.script(_PARTS.format(most=most_bytes, last=len(parts)) + layout.table + read)
    if len(alone) > most_bytes:
        message = (
            f"its command, its directory and its env take {len(alone)} bytes with what starts"
            f" them: the cluster takes {most_bytes} in one file; put them into a script there"
        )
        raise SubmissionRejected(message)
    return {"run": alone, **{f"part.{i}": part for i, part in enumerate(parts, 1)}}


def _cut(unpack: str) -> str:
    return _CUT_RECORD.format(unpack=unpack, rows=ROWS)


@attrs.frozen
class _Layout:
    """Members that follow a script, and the script that finds in them what a job needs."""

    write: Callable[[Source], str]
    #: Jobs that share a member.
    rows: int
    members: Sequence[bytes]
    #: How many bytes or lines of each are to be read.
    counts: Sequence[int]

    @property
    def table(self) -> str:
        offsets = accumulate(map(len, self.members[:-1]), initial=0)
        pairs = zip(offsets, self.counts, strict=True)
        words = " ".join(f"{offset} {count}" for offset, count in pairs)
        return _TABLE.format(table=words, rows=self.rows)

    def script(self, read: str) -> bytes:
        return encode(self.write(Source(read=read, position="$1")))

    def whole(self, read: str) -> bytes:
        """Return the script that knows how long it is itself, with the members behind it."""
        rest = self.table + read
        begin = len(self.script(_ONE_FILE.format(begin="") + rest)) + 1
        return b"".join([self.script(_ONE_FILE.format(begin=begin) + rest), *self.members])
