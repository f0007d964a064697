"""Pages of lists: which part is wanted, and where the others are."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import attrs
from aiohttp import hdrs
from msgspec import Meta

from cigri.api import wire
from cigri.api.query import DEFAULT_LIMIT, MAX_LIMIT

_Item = TypeVar("_Item")


@attrs.frozen(kw_only=True)
class Paged:
    """Which part of a list is wanted."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="how many at most")] = DEFAULT_LIMIT
    offset: Annotated[int, Meta(ge=0, description="how many to leave out before them")] = 0

    def part(self, every: Sequence[_Item]) -> Sequence[_Item]:
        """Return what is wanted of a whole list."""
        return every[self.offset : self.offset + self.limit]


@attrs.frozen(kw_only=True)
class Whereabouts:
    """Where a page of a list lies: its path, the filters in its URL, its part."""

    path: str
    page: Paged
    #: Below which path a proxy has put the server.
    base: str = ""
    filters: Mapping[str, str] = attrs.field(factory=dict)

    def listing(
        self, items: Sequence[_Item], total: int | None, following: int | None
    ) -> wire.Listing[_Item]:
        """Return *items* as the page, of *total* ones; the next page begins at *following*."""
        links = [wire.link("self", self._at({}))]
        if following is not None:
            links.append(wire.link("next", self._at(self._part(following))))
        return wire.Listing(
            items=list(items),
            total=total,
            offset=self.page.offset,
            limit=self.page.limit,
            links=tuple(links),
        )

    def counted(self, items: Sequence[_Item], total: int) -> wire.Listing[_Item]:
        """Return *items* as the page of a list of *total*, whose next page follows them."""
        end = self.page.offset + len(items)
        return self.listing(items, total, end if items and end < total else None)

    def headers(self, listing: wire.Listing[_Item]) -> Mapping[str, str]:
        """Return where the other pages are, as RFC 8288 has it."""
        found = {link.rel: link.href for link in listing.links if link.rel == "next"}
        if self.page.offset:
            before = max(0, self.page.offset - self.page.limit)
            found |= {"prev": self._at(self._part(before)), "first": self._at(self._part(0))}
        text = ", ".join(f'<{href}>; rel="{rel}"' for rel, href in found.items())
        return {hdrs.LINK: text} if text else {}

    def _part(self, offset: int) -> Mapping[str, int]:
        return {"limit": self.page.limit, "offset": offset}

    def _at(self, part: Mapping[str, int]) -> str:
        options = urlencode({**self.filters, **part}, safe=",")
        return f"{self.base}{self.path}" + (f"?{options}" if options else "")
