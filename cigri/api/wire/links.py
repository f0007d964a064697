"""Links and lists, as CiGri's REST interface writes them.

The classes of this package have no slots: their fields leave in the order in which they stand.
"""

from typing import Generic, TypeVar

import attrs
from msgspec import UNSET, UnsetType

_Item = TypeVar("_Item")


@attrs.frozen(kw_only=True, slots=False)
class Link:
    """Where something else is."""

    href: str
    title: str | UnsetType = UNSET
    #: The last one, as in CiGri 3.
    rel: str


@attrs.frozen(kw_only=True, slots=False)
class Front:
    """Where to go from here."""

    links: tuple[Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class Listing(Generic[_Item]):
    """One page of a list."""

    items: list[_Item]
    #: How many there are in all; null where that would have to be counted.
    total: int | None
    offset: int
    limit: int
    links: tuple[Link, ...]


def link(rel: str, href: str, title: str | None = None, *, base: str = "") -> Link:
    """Return a link to *href*, below *base* when a proxy has put the server there."""
    return Link(href=base + href, rel=rel, title=UNSET if title is None else title)


def front(base: str = "") -> Front:
    """Return what the front page says, to the letter of the manual."""
    return Front(
        links=(
            link("self", "/", base=base),
            link("campaigns", "/campaigns", "campaigns", base=base),
            link("clusters", "/clusters", "clusters", base=base),
        )
    )
