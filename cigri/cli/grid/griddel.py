"""`griddel`: cancels campaigns, or pauses and resumes them."""

import asyncclick

from cigri.cli.failures import Exit
from cigri.cli.grid.frame import failed, flag, identifier, missing, old, say, value
from cigri.cli.session import Session
from cigri.errors import CigriError


@old("griddel")
@value("-c", "--campaign", "ID,ID…", "These campaigns.")
@flag("-p", "--pause", "Pause them: what runs goes on.")
@flag("-r", "--resume", "Resume them.")
@asyncclick.option("--purge", is_flag=True, help="Forget them, once they are over.")
@value("-j", "--job", "ID", "Cancel this task alone.")
@flag("-v", "--verbose", "Say what was done.")
@asyncclick.argument("ids", nargs=-1)
def griddel(
    session: Session,
    *,
    campaign: str | None,
    pause: bool,
    resume: bool,
    purge: bool,
    job: str | None,
    verbose: bool,
    ids: tuple[str, ...],
) -> Exit:
    """Cancel the campaigns IDS, or pause and resume them; prints nothing unless that fails."""
    words = ",".join([*([campaign] if campaign else []), *ids]).split(",")
    named = [word for word in words if word]
    if job is not None:
        return _change(session, "job", job, "cancel", verbose=verbose)
    if not named:
        return missing("Missing CAMPAIGN_ID")
    if pause + resume + purge > 1:
        return missing("--pause, --resume and --purge exclude each other", Exit.USAGE)
    verb = "pause" if pause else "resume" if resume else "purge" if purge else "cancel"
    return max(_change(session, "campaign", each, verb, verbose=verbose) for each in named)


_OPTIONS = {"pause": "hold", "resume": "resume", "purge": "purge"}


def _change(session: Session, noun: str, word: str, verb: str, *, verbose: bool) -> Exit:
    options = {_OPTIONS[verb]: 1} if verb in _OPTIONS else {}
    try:
        path = f"/{noun}s/{identifier(word, noun)}"
        answer = session.client.change("DELETE", path, **options)
    except CigriError as error:
        return failed(f"Failed to {verb} {noun} {word}", error)
    if verbose:
        say(f"{answer.json()['message']}.")
    return Exit.DONE
