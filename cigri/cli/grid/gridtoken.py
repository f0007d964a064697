"""`gridtoken`: registers tokens by which clusters know their users."""

import sys

from cigri.cli.failures import Exit
from cigri.cli.grid.frame import failed, flag, missing, old, say, value
from cigri.cli.session import Session
from cigri.errors import CigriError

_STANDARD_INPUT = frozenset({"-", "/dev/stdin"})


@old("gridtoken")
@flag("-l", "--list", "List your tokens.")
@value("-i", "--cluster-id", "ID", "The cluster: `gridclusters` shows their numbers.", type=int)
@value("-t", "--token", "TOKEN", "Register this token; - reads it from standard input.")
@flag("-r", "--remove", "Remove the token.")
@flag("-v", "--verbose", "Say what was done.")
def gridtoken(
    session: Session,
    *,
    list: bool,  # noqa: A002 - the name of the option
    cluster_id: int | None,
    token: str | None,
    remove: bool,
    verbose: bool,
) -> Exit | None:
    """
    Manage the tokens with which a cluster lets CiGri act as you.

    For a token with which a program may speak with CiGri itself, see `cigri token`.
    """
    if list:
        return _list(session)
    if cluster_id is None or (token is None and not remove):
        return missing("Give -l, or -i ID with -t TOKEN or -r", Exit.USAGE)
    try:
        if remove:
            what = f"remove JWT token on cluster {cluster_id}"
            answer = session.client.change("DELETE", f"/tokens/{cluster_id}")
        else:
            what = f"register token on cluster {cluster_id}"
            # Other users of this host can read arguments.
            given = sys.stdin.readline().strip() if token in _STANDARD_INPUT else token
            body = {"cluster_id": cluster_id, "token": given}
            answer = session.client.post_json("/tokens", body)
    except CigriError as error:
        return failed(f"Failed to {what}", error)
    if not remove or verbose:
        say(f"{answer.json()['message']}.")
    return None


def _list(session: Session) -> Exit | None:
    items = session.client.get("/tokens").json()["items"]
    if items:
        say("You have the following tokens:")
    for one in items:
        login = one["cluster_login"].removeprefix("Bearer ")
        say(f" - Cluster #{one['cluster_id']} : {login}")
    return None
