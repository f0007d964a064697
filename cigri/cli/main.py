"""The outermost layer: what no command expected ends here, with an exit code."""

import asyncio
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Never

import asyncclick

from cigri import errors, places
from cigri.cli.failures import Exit, reader_gone, report, tell
from cigri.cli.group import cigri


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name and return its exit code."""
    _prepare_streams()
    # asyncio's own handler would only take note of the first Ctrl-C while a command works.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _outcome(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()
    return code


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        return asyncio.run(_call(arguments))
    except asyncclick.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except asyncclick.UsageError as error:
        return _usage(error)
    except (asyncclick.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except (errors.CigriError, OSError) as error:
        return report(error, command="cigri", where=" ".join(["cigri", *sys.argv[1:2]]))
    except Exception:  # noqa: BLE001 - a bug is told in three lines too, and kept for its report
        return _bug()


async def _call(arguments: Sequence[str] | None) -> int:
    code: int | None = await cigri.main(arguments, prog_name="cigri", standalone_mode=False)
    return code or Exit.DONE  # help and version return none


def _usage(error: asyncclick.UsageError) -> Exit:
    path = error.ctx.command_path if error.ctx else "cigri"
    tell(error.format_message().rstrip("."), path, f"{path} --help")
    return Exit.USAGE


def _bug() -> Exit:
    trace = traceback.format_exc()
    path = places.places(os.environ, os.getuid()).state / "last-error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{' '.join(sys.argv)}\n{trace}", encoding="utf-8")
    except OSError:
        path = Path("-")
        sys.stderr.write(trace)
    tell(f"a bug: {trace.splitlines()[-1]}", str(path), "send this file to the developers")
    return Exit.REFUSED


def _prepare_streams() -> None:
    """Have a terminal that is not UTF-8 show a question mark for what it cannot."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> Never:
    sys.exit(Exit.TERMINATED)
