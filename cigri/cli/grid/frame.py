"""What the commands of CiGri 3 have in common."""

import functools
import inspect
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import asyncclick

from cigri import errors
from cigri.cli.failures import Exit, advice, reader_gone, writing
from cigri.cli.session import Session
from cigri.words import clean

Command = Callable[..., Exit | None]


def old(name: str) -> Callable[[Command], asyncclick.Command]:
    """Make a command of CiGri 3 of a function that takes a session and its own options."""

    def decorate(function: Command) -> asyncclick.Command:
        @functools.wraps(function)
        def called(**chosen: object) -> Exit:
            session = Session(command=name, url=None, output="table", color="never")
            try:
                return function(session, **chosen) or Exit.DONE
            except errors.CigriError as error:
                return failed("Failed", error)
            except BrokenPipeError:
                return reader_gone()
            finally:
                session.close()

        version = asyncclick.version_option(
            package_name="cigri", prog_name=name, message="%(prog)s v%(version)s"
        )
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        text = inspect.getdoc(function)
        return asyncclick.command(name, help=text, context_settings=settings)(version(called))

    return decorate


def flag(short: str, long: str, text: str) -> Callable[[Command], Command]:
    """Return an option that is given or not."""
    return cast(
        Callable[[Command], Command], asyncclick.option(short, long, is_flag=True, help=text)
    )


def value(
    short: str,
    long: str,
    metavar: str,
    text: str,
    **more: Any,  # noqa: ANN401 - click's own
) -> Callable[[Command], Command]:
    """Return an option with a value."""
    option = asyncclick.option(short, long, metavar=metavar, help=text, **more)
    return cast(Callable[[Command], Command], option)


def say(*lines: str) -> None:
    """Print results."""
    with writing():
        sys.stdout.write("".join(f"{clean(line)}\n" for line in lines))


def complain(message: str) -> None:
    """Print what is no result."""
    with writing():
        sys.stdout.flush()
    sys.stderr.write("".join(f"{clean(line)}\n" for line in message.splitlines()))


def missing(message: str, code: Exit = Exit.REFUSED) -> Exit:
    """Say which option is missing, and return how the command ends."""
    complain(message)
    return code


def failed(what: str, error: errors.CigriError) -> Exit:
    """Say what failed and why, and return how the command ends."""
    if isinstance(error, errors.ServerUnreachable):
        complain(f"API server not reachable: {error}")
    elif isinstance(error, errors.InvalidInput):
        mistakes = "\n".join(f"  {problem}" for problem in error.problems)
        complain(f"{what}: {error.what.lower()} is wrong\n{mistakes}")
    else:
        complain(f"{what}: {error}.")
    return advice(error).code


def dumped(session: Session, path: str, *, pretty: bool = False) -> None:
    """Print an answer of the server as it is."""
    joint = "&" if "?" in path else "?"
    session.write(session.client.get(f"{path}{joint}pretty=true" if pretty else path).content)


def shown(value: object) -> str:
    """Return a value of JSON as CiGri 3 prints it: texts bare, nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def date(at: float) -> str:
    """Return an instant as CiGri 3 prints it."""
    return time.strftime("%Y-%m-%d %H-%M-%S", time.localtime(at))


def print_pairs(body: Mapping[str, object]) -> None:
    """Print an object, a line for each of its members but the links."""
    say(*(f"{key}: {shown(each)}" for key, each in body.items() if key != "links"))


def identifier(text: str, noun: str) -> int:
    """
    Return the number that *text* writes.

    Raises:
        NotFound: It writes none, so there is nothing with that number.
    """
    if not (text.isascii() and text.isdigit()):
        raise errors.NotFound(f"{noun} {text!r} not found: give its number")
    return int(text)
