"""CiGri: campaigns of independent tasks over the idle cores of several clusters.

    import cigri

    c = cigri.connect()
    campaign = c.submit("~/run.sh", grid={"T": [0.5, 1.0], "seed": range(10)})
    campaign.wait(progress=True)
    table = campaign.to_pandas()

`cigri.aio.connect` is the same for programs that have an event loop, and `cigri.errors` has what
may go wrong.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cigri import aio as aio
    from cigri import errors as errors
    from cigri.client.sync import connect as connect

#: What is imported when it is first used: the command line has no time for it.
_LAZY = {
    "aio": ("cigri.aio", None),
    "connect": ("cigri.client.sync", "connect"),
    "errors": ("cigri.errors", None),
}

__all__ = ["aio", "connect", "errors"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module, or what is in one
    if name not in _LAZY:
        raise AttributeError(f"module 'cigri' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - same

    module, attribute = _LAZY[name]
    found = importlib.import_module(module)
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    """Return what there is, for those who let their editor complete it."""
    return sorted({*globals(), *_LAZY})
