"""`gridnotify`: subscribes to notifications, which come with a later version."""

from urllib.parse import quote

from cigri.cli.failures import Exit
from cigri.cli.grid.frame import failed, flag, missing, old, say, value
from cigri.cli.session import Session
from cigri.errors import CigriError

_SEVERITIES = ("low", "medium", "high")


@old("gridnotify")
@flag("-l", "--list", "List your subscriptions.")
@value("-m", "--mail", "ADDRESS", "Be told by mail.")
@value("-j", "--jabber", "IDENTITY", "Be told by Jabber.")
@value("-s", "--severity", "low|medium|high", "Be told of what is that severe (to subscribe).")
@flag("-u", "--unsubscribe", "Be told no more.")
@flag("-v", "--verbose", "Say what was done.")
def gridnotify(
    session: Session,
    *,
    list: bool,  # noqa: A002 - the name of the option
    mail: str | None,
    jabber: str | None,
    severity: str | None,
    unsubscribe: bool,
    verbose: bool,
) -> Exit | None:
    """Have CiGri tell you what happens."""
    service, identity = ("mail", mail) if mail is not None else ("jabber", jabber)
    if list:
        return _list(session)
    if identity is None:
        return missing("Give a mail address with -m, a Jabber identity with -j, or -l", Exit.USAGE)
    if not unsubscribe and severity not in _SEVERITIES:
        return missing("ERROR: Severity should be 'low', 'medium' or 'high'!", Exit.USAGE)
    path = f"/notifications/{service}"
    try:
        if unsubscribe:
            answer = session.client.change("DELETE", f"{path}?identity={quote(identity)}")
        else:
            body = {"identity": identity, "severity": severity}
            answer = session.client.post_json(path, body)
    except CigriError as error:
        return failed(f"Failed to {'un' if unsubscribe else ''}subscribe with {identity}", error)
    if verbose:
        say(f"{answer.json()['message']}.")
    return None


def _list(session: Session) -> Exit | None:
    try:
        items = session.client.get("/notifications").json()["items"]
    except CigriError as error:
        return failed("Failed to list notifications", error)
    if items:
        say("You have the following notification subscriptions:")
    for one in items:
        service = "jabber" if one["type"] == "xmpp" else one["type"]
        severity = one.get("severity") or "medium"
        say(f" - {service} on {one['identity']} with severity {severity}")
    return None
