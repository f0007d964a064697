"""The table of commands, in the order in which a user meets them."""

import importlib
from collections.abc import Mapping
from typing import Any

import asyncclick
import attrs
from asyncclick.shell_completion import CompletionItem


@attrs.frozen
class Entry:
    """Where a command is defined, and what `cigri --help` says of it."""

    module: str
    summary: str


#: A command's module is imported when it is called: help needs none of them.
SECTIONS: Mapping[str, Mapping[str, Entry]] = {
    "Start": {
        "demo": Entry("demo", "Watch a real campaign on this host, with nothing set up."),
        "run": Entry("submitting", "Submit a campaign and follow it to its end."),
        "init": Entry("init", "Write a configuration, or set up a server for a whole host."),
        "serve": Entry("serving", "Run the server."),
        "token": Entry("tokens", "Make and revoke tokens for programs and other hosts."),
        "doctor": Entry(
            "doctor", "Check everything and say how to repair it, or copy the database."
        ),
    },
    "Submit": {
        "sub": Entry("submitting", "Submit a campaign."),
        "add": Entry("adding", "Append tasks to a campaign."),
    },
    "Watch": {
        "stat": Entry("watching", "Show campaigns, or how far one is."),
        "jobs": Entry("jobs", "List the tasks of a campaign."),
        "logs": Entry("logs", "Print what tasks wrote."),
        "wait": Entry("watching", "Wait until campaigns have ended."),
        "explain": Entry("explaining", "Tell why nothing more of a campaign starts now."),
        "clusters": Entry("clusters", "Show how busy the clusters are, and what holds them."),
    },
    "Repair": {
        "events": Entry("events", "Show what went wrong, and how to repair it."),
        "fix": Entry("changing", "Close the events of campaigns, or run failed tasks again."),
        "go": Entry("changing", "End the test of campaigns, and run the rest of them."),
        "pause": Entry("changing", "Start no more tasks of campaigns."),
        "resume": Entry("changing", "Take up paused campaigns again."),
        "del": Entry("changing", "Cancel campaigns."),
    },
    "Results": {
        "results": Entry("results", "Write one row for each task of a campaign."),
    },
    "More": {
        "completion": Entry("completion", "Teach your shell the commands and campaigns."),
    },
    "Later": {
        "usage": Entry("later", "Who used how much of which cluster."),
        "notify": Entry("later", "Be told by mail or chat when something happens."),
        "web": Entry("later", "The same in a browser."),
    },
}
COMMANDS: Mapping[str, Entry] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}
#: The names in their modules of those that Python has another use for.
NAMES: Mapping[str, str] = {"del": "delete"}
#: Other names by which people know them.
ALIASES: Mapping[str, str] = {"ls": "stat", "rm": "del", "cancel": "del"}


class Commands(asyncclick.Group):
    """A group that knows its commands by the tables above."""

    def list_commands(self, ctx: asyncclick.Context) -> list[str]:
        """Return all names, in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: asyncclick.Context, cmd_name: str) -> asyncclick.Command | None:
        """Return the command of that name, or `None`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cigri.cli.{COMMANDS[cmd_name].module}")
        command = vars(module)[NAMES.get(cmd_name, cmd_name)]
        assert isinstance(command, asyncclick.Command)  # noqa: S101 - for the type checker
        return command

    async def resolve_command(
        self, ctx: asyncclick.Context, args: list[str]
    ) -> tuple[str | None, asyncclick.Command | None, list[str]]:
        """Return the command that *args* begin with, naming the likely one for a misspelt one."""
        if args[0] == "help":
            args = [*args[1:2], "--help"]
        if args == ["--help"]:
            asyncclick.echo(ctx.get_help())
            raise asyncclick.exceptions.Exit(0)
        args = [ALIASES.get(args[0], args[0]), *args[1:]]
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise asyncclick.NoSuchCommand(args[0], possibilities=list(COMMANDS), ctx=ctx)
        return await super().resolve_command(ctx, args)

    def shell_complete(
        self, ctx: asyncclick.Context, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return the names and options that begin so, without importing any command."""
        if incomplete.startswith("-"):
            return asyncclick.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_options(self, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter) -> None:
        """Write the commands, then the options, of which there are few."""
        self.format_commands(ctx, formatter)
        asyncclick.Command.format_options(self, ctx, formatter)

    def format_commands(
        self, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter
    ) -> None:
        """Write the tables, without importing any command."""
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), entry.summary) for name, entry in section.items()]
                )


def with_examples(text: str, *examples: str) -> str:
    """Return the help *text* with *examples* below it, whose lines are left as they are."""
    if not examples:
        return text
    head = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join([text, "", "\b", head, *(f"  {example}" for example in examples)])


HELP = with_examples(
    "Run campaigns: bags of independent tasks, on the idle cores of several clusters.",
    "cigri demo                         see it at work, with nothing set up",
    "cigri run visc.json                run a campaign here and wait for it",
    "cigri sub visc.json                submit it, to the server of `cigri serve`",
    "cigri stat 12 --watch              follow it; `last` is your newest campaign",
    "cigri fix 12 --resubmit            run what failed again",
    "cigri results 12 -o csv > visc.csv",
)
NOTES = """
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not found, 4 not allowed, 5 no server;
of wait and run: 10 tasks failed, 11 cancelled, 124 time is up; 130 Ctrl-C.

The server that is asked: --url, else $CIGRI_URL, else your own, else that of the whole host.
"""


@asyncclick.group(
    cls=Commands,
    help=HELP,
    epilog=NOTES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@asyncclick.option("--url", metavar="URL", help="Ask this server: http://HOST:PORT or unix:PATH.")
@asyncclick.version_option(package_name="cigri", prog_name="cigri", message="%(prog)s %(version)s")
@asyncclick.pass_context
def cigri(ctx: asyncclick.Context, url: str | None) -> None:
    """Note what all commands have in common."""
    ctx.obj = url
