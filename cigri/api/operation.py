"""What a route promises: its options, its body, its answer, and what a token needs for it.

The decorator registers the handler and keeps the promise beside it.  The OpenAPI document and
the check of who may do what are both made from these records, so neither can fall behind.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any

import attrs
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scope(StrEnum):
    """What a token needs; each scope includes those before it."""

    #: Nothing at all: the page says nothing about anybody's data.
    PUBLIC = "public"
    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


@attrs.frozen
class NoOptions:
    """A route without options of its own."""


@attrs.frozen(kw_only=True)
class Operation:
    """One method of one path, as clients know it."""

    method: str
    path: str
    #: The first line of the handler's docstring, and what follows it.
    summary: str
    description: str
    #: The names of its module and its function.
    name: str
    #: The class of the answer; `None` for one whose body is text or a stream.
    answer: Any = None
    #: `None` for one that is always refused.
    status: int | None = 200
    #: Other good answers by their status: `dry_run` makes a 200 of a 201.
    answers: tuple[tuple[int, Any], ...] = ()
    #: An attrs class, read by `query.read`.
    options: type = NoOptions
    #: A class that JSON decodes into, or a ready schema.
    body: Any = None
    #: Media types that the body may come in, and the answer may leave in.
    accepts: tuple[str, ...] = ("application/json",)
    media: tuple[str, ...] = ("application/json",)
    #: Statuses that this route answers beside those that every route may.
    errors: tuple[int, ...] = ()
    scope: Scope = Scope.READ


def operation(
    routes: web.RouteTableDef,
    method: str,
    path: str,
    *,
    answer: Any = None,  # noqa: ANN401 # whatever msgspec has a schema for
    status: int | None = 200,
    answers: Iterable[tuple[int, Any]] = (),
    options: type = NoOptions,
    body: Any = None,  # noqa: ANN401 # same
    accepts: str | Iterable[str] = "application/json",
    media: str | Iterable[str] = "application/json",
    errors: Iterable[int] = (),
    scope: str = Scope.READ,
) -> Callable[[Handler], Handler]:
    """Return a decorator that registers a handler in *routes* and keeps what it promises."""

    def register(handler: Handler) -> Handler:
        summary, _, description = (handler.__doc__ or "").strip().partition("\n")
        promised = Operation(
            method=method,
            path=path,
            summary=summary,
            description=_unindented(description),
            name=f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}",
            answer=answer,
            status=status,
            answers=tuple(answers),
            options=options,
            body=body,
            accepts=_several(accepts),
            media=_several(media),
            errors=tuple(errors),
            scope=Scope(scope),
        )
        keep(handler, promised)
        # Registered as GET, it takes HEAD as well.
        return routes.route(method, path)(handler)

    return register


def keep(handler: Handler, promised: Operation) -> None:
    """Let *handler* promise *promised*, without putting it in a table."""
    handler.operation = promised  # type: ignore[attr-defined] # functions take any attribute


def of(handler: object) -> Operation | None:
    """Return what *handler* promises, `None` when it is no operation."""
    found = getattr(handler, "operation", None)
    return found if isinstance(found, Operation) else None


def asked(request: web.Request) -> Operation | None:
    """Return the operation that *request* has come to, `None` where there is none (404, 405)."""
    return of(request.match_info.handler)


def operations(tables: Iterable[web.RouteTableDef]) -> Iterator[Operation]:
    """
    Yield what the routes of *tables* promise.

    Raises:
        TypeError: One promises nothing.
    """
    for table in tables:
        for route in table:
            found = of(route.handler) if isinstance(route, web.RouteDef) else None
            if found is None:
                raise TypeError(f"not an operation: {route}")
            yield found


def _several(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
