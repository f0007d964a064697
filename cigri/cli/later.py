"""Commands whose time has yet to come: each says what to use meanwhile."""

import asyncclick

from cigri.cli.failures import Exit

#: By command: what it will do, and what does that today.
MEANWHILE = {
    "usage": ("who used how much of which cluster", "`cigri clusters` shows what is busy now"),
    "notify": (
        "messages by mail or chat",
        "`cigri wait 12; mail -s done you` tells you when campaign 12 has ended",
    ),
    "web": (
        "campaigns in a browser",
        "`cigri stat last --watch`; the REST interface is described at /docs/api",
    ),
}

#: Whatever is asked of such a command, the answer is the same.
ANYTHING = {"ignore_unknown_options": True}


def _later(name: str) -> asyncclick.Command:
    what, meanwhile = MEANWHILE[name]

    @asyncclick.command(
        name, help=f"Not there yet: {what}. Until then: {meanwhile}.", context_settings=ANYTHING
    )
    @asyncclick.argument("words", nargs=-1)
    def refuse(words: tuple[str, ...]) -> Exit:
        asyncclick.echo(
            f"cigri {name} ({what}) comes in a later version; until then: {meanwhile}", err=True
        )
        return Exit.REFUSED

    return refuse


usage = _later("usage")
notify = _later("notify")
web = _later("web")
