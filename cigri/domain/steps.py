"""Prologue and epilogue: once per campaign and cluster, scripts in the language of a shell."""

import re
from collections.abc import Sequence

import attrs

from cigri.domain.model import CampaignType, ClusterSettings, JobKind
from cigri.domain.reactions import EventCode
from cigri.domain.verdict import Ending, TaskEnd

#: The words of CiGri 3 for what a shell can say itself.  A `~` that begins a word is left to it.
_MACROS = re.compile(
    r"""\\?\$?\{(?P<macro>HOME|CAMPAIGN_ID|OAR_JOB_ID)\} | \\(?P<dollar>\$)
    | (?<=")(?P<tilde>~)(?=[/"])""",
    re.VERBOSE,
)
_VARIABLES = {
    "HOME": "$HOME",
    "CAMPAIGN_ID": "$CIGRI_CAMPAIGN_ID",
    "OAR_JOB_ID": "$OAR_JOB_ID",
}

#: The event of a step that failed.
FAILED = {
    JobKind.PROLOGUE: EventCode.PROLOG_EXIT_ERROR,
    JobKind.EPILOGUE: EventCode.EPILOG_EXIT_ERROR,
}


def script(lines: Sequence[str]) -> str:
    r"""
    Return the script that the lines of a prologue or an epilogue are.

    >>> script([r"mkdir -p {HOME}/{CAMPAIGN_ID}", r"echo \$USER"])
    'mkdir -p $HOME/$CIGRI_CAMPAIGN_ID\necho $USER\n'
    """

    def replace(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        return "$HOME" if found["tilde"] else _VARIABLES[found["macro"]]

    return "".join(f"{_MACROS.sub(replace, line)}\n" for line in lines)


def script_of(settings: ClusterSettings, kind: JobKind) -> str:
    """Return the script of the prologue or the epilogue that *settings* ask for."""
    return script(settings.prologue if kind is JobKind.PROLOGUE else settings.epilogue)


def step_settings(settings: ClusterSettings, kind: JobKind) -> ClusterSettings:
    """
    Return what the job of a step asks of its cluster: one core, in the home, never best-effort.

    A task may be killed and run again; what others wait for should not be.
    """
    own = settings.prologue_walltime if kind is JobKind.PROLOGUE else settings.epilogue_walltime
    return attrs.evolve(
        settings,
        exec_file="",
        exec_directory="$HOME",
        walltime=settings.walltime if own is None else own,
        type=CampaignType.NORMAL,
        resources="1",
        cores=1,
        parameter_names=(),
        parameter_template=None,
    )


#: Ends after which a step is tried again: its script had no part in them.
_NOT_ITS_FAULT = frozenset(
    {Ending.KILLED, Ending.LOST, Ending.DELETED, Ending.REMOVED, Ending.NODE_FAILED}
)


def came_to_its_end(end: TaskEnd) -> bool:
    """Return whether the script itself ended, well or not."""
    return end.ending not in _NOT_ITS_FAULT


def succeeded(end: TaskEnd) -> bool:
    """Return whether the script did what it should: 66 and 67 mean nothing here."""
    return end.ending is Ending.EXITED and end.exit_status == 0
