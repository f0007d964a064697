"""The log: one event, one line; readable on a terminal, JSON anywhere else.

Events are named `noun.past_participle` and never change; everything else is a field.  The lines of
the libraries' own loggers come out in the same form.
"""

import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor

#: These say a line for every statement or request; ours say what it was for.
_TALKATIVE = ("aiosqlite", "aiohttp.access", "asyncio", "httpx", "httpcore")

#: What every line begins with, whoever logged it.
_HEADING = ("timestamp", "level", "logger", "event")

#: What colours a word on a terminal.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: What stands before the rest of a line that was folded.
_INDENT = " " * 9


def _heading_first(_: object, __: str, event: EventDict) -> EventDict:
    heading = {key: event.pop(key) for key in _HEADING if key in event}
    return {**heading, **event}


_SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all events from *level* up to *stream*, which is standard error unless given."""
    stream = stream or sys.stderr
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(stream))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(stream: TextIO) -> logging.Formatter:
    render = _console() if stream.isatty() else _json()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )


def _json() -> Sequence[Processor]:
    return (
        structlog.processors.format_exc_info,
        _heading_first,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    )


def _console() -> Sequence[Processor]:
    # Plain tracebacks: rich's fill a screen each.  Quoted values: what a user named cannot move
    # the cursor or ring the bell.
    renderer = structlog.dev.ConsoleRenderer(
        0,  # events are not padded; versions of structlog differ in what they call that
        colors=not os.environ.get("NO_COLOR"),
        exception_formatter=structlog.dev.plain_traceback,
        repr_native_str=True,
        pad_level=False,
    )

    def render(logger: object, method: str, event: EventDict) -> str:
        return _folded(renderer(logger, method, event))

    return (_without_details, render)


def _without_details(_: object, __: str, event: EventDict) -> EventDict:
    """Leave to the JSON form what a person does not look for: who logged it, the day, its zone."""
    event.pop("logger", None)
    at = datetime.fromisoformat(event["timestamp"]).astimezone()
    return {**event, "timestamp": at.strftime("%H:%M:%S")}


def _folded(text: str) -> str:
    """Fold the first line between words; what follows it is a traceback."""
    line, *trace = text.split("\n")
    room = shutil.get_terminal_size().columns
    folded, used = "", 0
    for word in line.split(" "):
        width = len(_COLOUR.sub("", word))
        if used and used + 1 + width > room:
            folded, used = f"{folded}\n{_INDENT}{word}", len(_INDENT) + width
        else:
            folded, used = f"{folded} {word}" if used else word, used + bool(used) + width
    return "\n".join([folded, *trace])
