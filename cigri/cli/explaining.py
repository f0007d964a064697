"""`explain`: why nothing more of a campaign starts now."""

from rich.console import Group, RenderableType
from rich.text import Text

from cigri.cli.arguments import Selectors, each_campaign, some_campaigns
from cigri.cli.failures import Exit
from cigri.cli.session import Session, command
from cigri.client import pictures
from cigri.client.bodies import Explanation
from cigri.words import clean


@command("explain", examples=("cigri explain last",))
@some_campaigns
def explain(session: Session, campaigns: Selectors) -> Exit:
    """Tell for each cluster why nothing more of CAMPAIGNS starts there now, and what to do."""
    return each_campaign(session, campaigns, lambda number: _explain(session, number))


def _explain(session: Session, campaign: int) -> None:
    if not session.as_json:
        session.show(pictures.line(session.client.campaign(campaign)))
    session.answer(session.client.get(f"/campaigns/{campaign}/explain"), screen)


def screen(body: Explanation) -> RenderableType:
    """Return the reason on each cluster, and below it what to do."""
    width = max((len(clean(one["cluster"])) for one in body["clusters"]), default=0)
    lines = []
    for one in body["clusters"]:
        lines.append(Text(f"{clean(one['cluster']):<{width}}  {clean(one['reason'])}"))
        if one["remedy"]:
            lines.append(Text(f"{'':<{width}}  try: {clean(one['remedy'])}", "dim"))
    return Group(*lines)
