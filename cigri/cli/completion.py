"""`completion`: teaches a shell what comes next."""

import os
import sys
from pathlib import Path

import asyncclick
from asyncclick.shell_completion import get_completion_class

from cigri.cli.failures import Exit, writing
from cigri.cli.group import cigri, with_examples

#: The shells, and where each looks for the completions of a user: a variable, what stands for it
#: when it is unset, and the path below it.
PLACES = {
    "bash": ("XDG_DATA_HOME", "~/.local/share", "bash-completion/completions/cigri"),
    "zsh": ("XDG_DATA_HOME", "~/.local/share", "zsh/site-functions/_cigri"),
    "fish": ("XDG_CONFIG_HOME", "~/.config", "fish/completions/cigri.fish"),
}
#: What a shell that has nothing better offers: names of files.
_ALONE, _WITH_FILES = "complete -o nosort -F", "complete -o nosort -o bashdefault -o default -F"

HELP = with_examples(
    """Print what teaches SHELL to complete commands, options and the numbers of campaigns.

With --install, write it to where the shell looks for it.""",
    "cigri completion bash --install",
    'eval "$(cigri completion zsh)"',
)


@asyncclick.command("completion", help=HELP)
@asyncclick.argument("shell", type=asyncclick.Choice(list(PLACES)))
@asyncclick.option("--install", is_flag=True, help="Write it to where the shell looks for it.")
def completion(*, shell: str, install: bool) -> int:
    """Print or install a script and return the exit code."""
    text = script(shell)
    with writing():
        if not install:
            sys.stdout.write(text)
            return Exit.DONE
        path = place(shell)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}; new shells know it\n")
        if shell == "zsh":
            line = f"fpath=({path.parent} $fpath); autoload -U compinit; compinit"
            sys.stdout.write(f"once, in ~/.zshrc: {line}\n")
    return Exit.DONE


def script(shell: str) -> str:
    """Return what a shell has to read."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - for the type checker
    return kind(cigri, {}, "cigri", "_CIGRI_COMPLETE").source().replace(_ALONE, _WITH_FILES)


def place(shell: str) -> Path:
    """Return where a shell looks for the completions of this user."""
    variable, default, below = PLACES[shell]
    base = os.environ.get(variable, "")
    return (Path(base) if Path(base).is_absolute() else Path(default).expanduser()) / below
