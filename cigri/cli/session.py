"""What one command works with: the server that it asks, and where its answers go."""

import functools
import inspect
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import asyncclick
from rich.console import Console, RenderableType

from cigri import errors, places
from cigri.cli.failures import Exit, reader_gone, report, writing
from cigri.cli.group import with_examples
from cigri.client import Client
from cigri.client.answer import Answer

#: No table is wider than that; a pipe or a file has no width.
PIPE_WIDTH = 100_000

Item = TypeVar("Item")


class Session:
    """The server, the output format and the terminal of one command."""

    def __init__(self, *, command: str, url: str | None, output: str, color: str) -> None:
        self.command = command
        self.output = output
        self.color = color
        #: What an error is about when it is not the server.
        self.source: str | None = None
        self._url = url
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """
        Return the client of the server, which is looked for at the first use.

        Raises:
            ServerUnreachable: There is none.
        """
        if self._client is None:
            self._client = Client(self._url)
        return self._client

    @client.setter
    def client(self, client: Client) -> None:
        self.close()
        self._client = client

    @functools.cached_property
    def console(self) -> Console:
        """Return where people read results."""
        return _console(self.color, to_stderr=self.output != "table")

    @property
    def named(self) -> bool:
        """Return whether the user said which server to ask."""
        return bool(self._url or os.environ.get("CIGRI_URL"))

    @property
    def plain(self) -> bool:
        """Return whether pictures must be drawn in ASCII."""
        return not self.console.encoding.lower().startswith("utf")

    @property
    def interactive(self) -> bool:
        """Return whether somebody is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def as_json(self) -> bool:
        """Return whether answers are wanted as they come."""
        return self.output == "json"

    def repeated(self, *words: str) -> str:
        """Return this command with other *words*, for the same server."""
        url = ["--url", self._url] if self._url else []
        return shlex.join([*self.command.split(), *words, *url])

    def close(self) -> None:
        """Give the connection back."""
        if self._client is not None:
            self._client.close()

    def show(self, *parts: RenderableType) -> None:
        """Print for people; a pipe gets whole lines, without the blanks that fill up a table."""
        with writing():
            if self.console.is_terminal:
                for part in parts:
                    self.console.print(part)
                return
            with self.console.capture() as captured:
                for part in parts:
                    self.console.print(part, soft_wrap=True)
            lines = captured.get().split("\n")
            self.console.file.write("\n".join(line.rstrip() for line in lines))

    def answer(self, response: Answer, *parts: Callable[[Any], RenderableType]) -> None:
        """Print *response*: byte for byte as JSON, else what *parts* make of its body."""
        if self.as_json:
            self.write(response.content)
            return
        body = response.json()
        self.show(*(part(body) for part in parts))

    def list_ids(self, ids: Iterable[int]) -> None:
        """Write one number a line, for xargs."""
        self.write("".join(f"{one}\n" for one in ids).encode())

    def write(self, raw: bytes) -> None:
        """Write to standard output as it is."""
        with writing():
            sys.stdout.flush()
            sys.stdout.buffer.write(raw)
            sys.stdout.buffer.flush()

    def say(self, words: str) -> None:
        """Print a word that is not a result."""
        with writing():
            sys.stdout.flush()
        sys.stderr.write(f"{words}\n")

    def suggest(self, command: str, why: str) -> None:
        """Name the command that is likely to be wanted next; scripts need none."""
        if sys.stderr.isatty() and not self.as_json:
            self.say(f"  {command:<30} {why}")

    def report(self, error: Exception) -> Exit:
        """Tell of *error* and return the exit code."""
        with writing():
            sys.stdout.flush()
        if isinstance(error, errors.InvalidInput) and self.source:
            where = self.source
        else:
            where = (
                self.command if self._client is None else f"{self.command}, {self.client.address}"
            )
        return report(error, command=self.command, where=where)

    def each(self, items: Iterable[Item], act: Callable[[Item], Exit | None]) -> Exit:
        """Act on every item, whether or not others fail, and return the highest code."""
        codes = [Exit.DONE]
        for item in items:
            try:
                codes.append(act(item) or Exit.DONE)
            except errors.CigriError as error:
                codes.append(self.report(error))
        return max(codes)


def command(
    name: str, *, outputs: tuple[str, ...] = ("table", "json"), examples: tuple[str, ...] = ()
) -> Callable[[Callable[..., Exit | None]], asyncclick.Command]:
    """
    Make a command of a function that takes a session and its own options.

    What the function returns is the exit code; a `CigriError` that it raises is told.
    """

    def decorate(function: Callable[..., Exit | None]) -> asyncclick.Command:
        @functools.wraps(function)
        def called(url: str | None, output: str, color: str, **chosen: object) -> Exit:
            context = asyncclick.get_current_context()
            url = url or context.find_root().obj
            _check_address(url)
            path = f"cigri {name}"
            session = Session(command=path, url=url, output=output, color=color)
            try:
                return function(session, **chosen) or Exit.DONE
            except errors.CigriError as error:
                return session.report(error)
            except BrokenPipeError:
                return reader_gone()
            finally:
                session.close()

        help_text = with_examples(inspect.getdoc(function) or "", *examples)
        with_options: Callable[..., Exit] = called
        for option in _common(outputs):
            with_options = option(with_options)
        made = asyncclick.command(name, help=help_text)(with_options)
        made.params.sort(key=lambda option: option.name in COMMON)
        return made

    return decorate


def _check_address(url: str | None) -> None:
    try:
        places.addresses(os.environ, os.getuid(), url)
    except errors.CigriError as error:
        raise asyncclick.UsageError(str(error)) from error


#: The names of the options of every command; help shows them last.
COMMON = ("output", "color", "url")


def _common(outputs: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    """Return the options of every command."""
    return [
        asyncclick.option("--url", metavar="URL", help="Ask this server."),
        asyncclick.option(
            "--color",
            type=asyncclick.Choice(["auto", "always", "never"]),
            default="auto",
            help="Colours; auto: on a terminal, unless NO_COLOR is set.",
        ),
        asyncclick.option(
            "-o",
            "--output",
            type=asyncclick.Choice(outputs),
            default=outputs[0],
            show_default=True,
            help="How to print; json is the body of the REST answer"
            + (", ids one number a line." if "ids" in outputs else "."),
        ),
    ]


def _console(color: str, *, to_stderr: bool) -> Console:
    console = Console(
        stderr=to_stderr,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=True if color == "always" else None,
        no_color=True if color == "never" else None,
    )
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console
