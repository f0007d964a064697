"""The log: one event, one line; readable on a terminal, JSON anywhere else.

Events are named `noun.past_participle` and never change; everything else is a field.  The lines of
the libraries' own loggers come out in the same form.
"""

import logging
import os
import sys
from collections.abc import Sequence
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor

#: These say a line for every statement or request; ours say what it was for.
_TALKATIVE = ("aiosqlite", "aiohttp.access", "asyncio", "httpx", "httpcore")

#: What every line begins with, whoever logged it.
_HEADING = ("timestamp", "level", "logger", "event")


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
        colors=not os.environ.get("NO_COLOR"),
        exception_formatter=structlog.dev.plain_traceback,
        repr_native_str=True,
    )
    return (renderer,)
