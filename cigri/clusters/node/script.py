"""The shell scripts that run on a node: POSIX, as any `sh` understands them.

A job costs its cluster a process or two; its script adds no Python to that, only the few programs
that every node has.  What it needs of its task it reads from behind itself, where `node`
has put the records in members of a gzip file, `ROWS` in each.

Ends that are no program's are signals that no program uses: see `ENDS`.
"""

import base64
import gzip
import zlib
from pathlib import Path

import attrs

from cigri.clusters import worker
from cigri.domain.verdict import Ending

#: Records in one member.
ROWS = 100
#: The signals by which the scripts end themselves: the submission was renounced, the command
#: cannot be started, there is no directory for it, or the words of the task are none.
VOID, NOT_STARTED, NO_DIRECTORY, UNUSABLE = 45, 46, 47, 48
ENDS = {
    VOID: Ending.REMOVED,
    NOT_STARTED: Ending.NOT_STARTED,
    NO_DIRECTORY: Ending.NO_DIRECTORY,
    UNUSABLE: Ending.UNUSABLE,
}
#: The Pythons that may be there, the usual one first.
_PYTHONS = "python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9"
#: What runs groups.
PROGRAM = Path(worker.__file__).read_text("utf-8")
#: The name of the worker on a cluster; another version of it is another file.
WORKER = f"worker-{zlib.crc32(PROGRAM.encode()):08x}.py"

_BEGIN = """\
set -f
IFS=' '
_c_n='
'
_c_h=${{HOME:=$PWD}} _c_p={position} _c_t=$PWD/.cigri/{tag}
_c_o=$_c_t/$_c_p{errors}
export HOME
# A shell ends when it cannot start a program; bash only after forgetting its traps.
_c_fail() {{ kill -{NOT_STARTED} $$; }}
trap _c_fail EXIT
[ -z "$BASH_VERSION" ] || shopt -s execfail 2>/dev/null
_c_die() {{ printf 'CiGri: %s\\n' "$2" >>"$_c_o"; kill -"$1" $$; }}
[ -e "$_c_t/void" ] && kill -{VOID} $$
"""
#: Everything of CiGri is closed to others.
_MAKE = '[ -d "$_c_t" ] || { mkdir -p -m 700 "$PWD/.cigri"; mkdir -p "$_c_t"; }\n'
_TASK = """\
[ -n "$_c_r" ] || _c_die {NOT_STARTED} "dd, gzip, sed or base64 failed: no task $_c_p in $_c_t"
eval "set -- $_c_r"
_c_k=$1
case $_c_k in
u) _c_die {UNUSABLE} "$5";;
s) ;;
*) export CIGRI_TASK="$2" CIGRI_ATTEMPT="$3" CIGRI_JOB_ID="$4" CIGRI_JOBID="$4";;
esac
shift 4
case $_c_k in
p) export CIGRI_PARAMETER="$*";;
q) export CIGRI_PARAMETER="$1"; shift;;
*) unset CIGRI_PARAMETER;;
esac
"""
_GO = """\
case $_c_d in /*) ;; *) _c_d=$_c_h/$_c_d;; esac
_c_go() {{
case $1 in
'') _c_die {UNUSABLE} 'no program is named';;
-*) _c_die {NOT_STARTED} "$1: no program can have a name that begins with -";;
esac
cd "$_c_d" 2>/dev/null || _c_die {NO_DIRECTORY} "$_c_d: no such directory, or it is closed"
exec </dev/null >"$_c_t/$_c_p.out" 2>"$_c_o"
unset OLDPWD
export PWD="$_c_d" CIGRI_WORKDIR="$_c_d" CIGRI_WORKING_DIRECTORY="$_c_d"
export CIGRI_NODE_FILE="$OAR_NODEFILE" CIGRI_NODEFILE="$OAR_NODEFILE"
[ -e "$_c_t/void" ] && kill -{VOID} $$
_c_start "$@"
}}
"""
_RUN_TASK = """\
_c_cmd "$@"
exit
"""
_RUN_SCRIPT = """\
printf %s "$1" >"$_c_t/script"
_c_b=/bin/sh
command -v bash >/dev/null 2>&1 && _c_b=bash
_c_go "$_c_b" "$_c_t/script"
exit
"""
_GROUP = """\
_c_g=$_c_t/$_c_p
mkdir -p "$_c_g"
exec </dev/null >>"$_c_g/log" 2>&1
if ! [ -e "$_c_g/{tasks}" ]; then
{read} >"$_c_g/.$$"
[ "$(wc -l <"$_c_g/.$$")" -eq "$_c_l" ] || _c_die {NOT_STARTED} "the tasks of $_c_g are not there"
ln "$_c_g/.$$" "$_c_g/{tasks}"
rm -f "$_c_g/.$$"
fi
_c_w=$PWD/.cigri/{worker}
{worker_text}for _c_y in {pythons}; do
command -v "$_c_y" && "$_c_y" -ISc 'import sys; sys.exit(sys.version_info < (3, 9))' \\
&& exec "$_c_y" -I -S "$_c_w" --node "$_c_g"
done
_c_die {NOT_STARTED} "$(uname -n) has no Python 3.9 or newer on its PATH, which groups need"
exit
"""
_WORKER_TEXT = """\
[ -e "$_c_w" ] || {{ cat >"$_c_w.$$" && mv "$_c_w.$$" "$_c_w"; }} <<'_c_end_of_worker'
{program}_c_end_of_worker
"""


@attrs.frozen(kw_only=True)
class Source:
    """How a script gets at the records of its job, and where they are."""

    #: Lines of shell: for an array they set `_c_r` to a record, for a group they print its file.
    read: str
    #: What the shell calls the position.
    position: str
    #: What it does first.
    begin: str = ""


def compress(text: bytes) -> bytes:
    """Return *text* as a gzip file without a date: the same text gives the same bytes."""
    return gzip.compress(text, 3, mtime=0)


def array_script(tag: str, settings: str, source: Source, *, is_script: bool) -> str:
    """Return the script that runs the task at a position."""
    begin = _fill(_BEGIN, position=source.position, tag=tag, errors=".err")
    run = _RUN_SCRIPT if is_script else _RUN_TASK
    return begin + source.begin + source.read + _fill(_TASK) + settings + _fill(_GO) + run


def group_script(tag: str, source: Source, *, carries_worker: bool) -> str:
    """Return the script that has the worker run the group at a place."""
    begin = _fill(_BEGIN, position=source.position, tag=tag, errors="/log")
    text = _WORKER_TEXT.format(program=PROGRAM) if carries_worker else ""
    names = {"tasks": worker.TASKS, "worker": WORKER, "pythons": _PYTHONS}
    return begin + source.begin + _fill(_GROUP, read=source.read, worker_text=text, **names)


def _fill(template: str, **words: str) -> str:
    return template.format(
        VOID=VOID,
        NOT_STARTED=NOT_STARTED,
        NO_DIRECTORY=NO_DIRECTORY,
        UNUSABLE=UNUSABLE,
        **words,
    )


def inline_source(*, is_array: bool) -> Source:
    """Return how to read what stands in the command's own words, after the script."""
    if is_array:
        read = '_c_r=$(printf %s "$3" | base64 -d)\n'
    else:
        read = '_c_l=$3\nprintf %s "$4" | base64 -d | gzip -dc'
    return Source(read=read, position="$2", begin=_MAKE)


def inline_command(script: str) -> str:
    """Return the command whose further words are a position and what belongs to it."""
    text = base64.b64encode(compress(worker.encode(script))).decode()
    unpack = 'eval "$(printf %s "$1" | base64 -d | gzip -dc)"'
    return f"exec sh -c '{unpack}' cigri {text}"
