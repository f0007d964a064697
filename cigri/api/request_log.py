"""One line of log for each request: never its query or its headers, where secrets may be."""

import asyncio
import logging
import re

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from cigri.api.context import CALLER
from cigri.engine.tokens import PREFIX

log = structlog.get_logger()

_READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_FIRST_ERROR = 400
#: A token that somebody put into a URL.
_TOKEN = re.compile(rf"{PREFIX}[\w-]+")


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log who asked for what, what became of it and how long it took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    status = None
    try:
        response = await handler(request)
        status = response.status
    finally:
        worth_it = request.method not in _READS or status is None or status >= _FIRST_ERROR
        (log.info if worth_it else log.debug)(
            "request.answered" if status else "request.abandoned",
            method=request.method,
            path=_TOKEN.sub(f"{PREFIX}…", request.rel_url.raw_path),
            status=status,
            user=request[CALLER].user if CALLER in request else None,
            seconds=round(loop.time() - start, 6),
        )
    return response


class _NoGarbage(logging.Filter):
    """Drop what aiohttp says of requests that are not HTTP: it could be made to fill the disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


def protocol_logger() -> logging.Logger:
    """Return the logger for what goes wrong below the routes."""
    logger = logging.getLogger("cigri.api.protocol")
    logger.addFilter(_NoGarbage())
    return logger
