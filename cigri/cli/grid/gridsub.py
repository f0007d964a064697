"""`gridsub`: submits campaigns, or adds tasks to one."""

from collections.abc import Iterable
from pathlib import Path

import asyncclick

from cigri.cli import description
from cigri.cli.description import Description
from cigri.cli.failures import Exit
from cigri.cli.grid.frame import complain, failed, flag, identifier, missing, old, say, value
from cigri.cli.session import Session
from cigri.client.answer import Answer
from cigri.errors import CigriError


@old("gridsub")
@value("-f", "--file", "FILE", "Submit what this file describes; may be repeated.", multiple=True)
@value("-j", "--json", "JSON", "Submit what this text describes; may be repeated.", multiple=True)
@value("-c", "--campaign", "ID", "Add tasks to this campaign.")
@value("-F", "--add-file", "FILE", "Add the tasks of this JSON array (used with -c).")
@value("-J", "--add-json", "JSON", "Add the tasks of this JSON array (used with -c).")
@flag("-d", "--dump", "Print the whole answer as JSON.")
@asyncclick.argument("files", nargs=-1)
def gridsub(
    session: Session,
    *,
    file: tuple[str, ...],
    json: tuple[str, ...],
    campaign: str | None,
    add_file: str | None,
    add_json: str | None,
    dump: bool,
    files: tuple[str, ...],
) -> Exit:
    """Submit the campaigns that FILES describe, or add tasks to a campaign."""
    if (add_file or add_json) and not campaign:
        return missing("You must provide a campaign id with -c to add jobs!")
    if campaign:
        return _add(session, campaign, add_file, add_json, dump=dump)
    if not (file or json or files):
        return missing(
            "Nothing to submit: give a file with -f, or a JSON text with -j", Exit.USAGE
        )
    return max(
        _submit(session, each, dump=dump)
        for each in [*((name, None) for name in (*file, *files)), *((None, text) for text in json)]
    )


def _submit(session: Session, source: tuple[str | None, str | None], *, dump: bool) -> Exit:
    try:
        told = _described(*source)
        response = session.client.post(told.jdl, told.lines())
    except CigriError as error:
        return failed("Failed to submit campaign", error)
    body = response.json()
    for warning in body.get("warnings", ()):
        complain(f"Warning: {warning}")
    _tell(
        session, response, ["Campaign successfully submitted", f"CAMPAIGN_ID={body['id']}"], dump
    )
    return Exit.DONE


def _described(file: str | None, text: str | None) -> Description:
    if file is not None:
        return description.read(file, Path.cwd())
    return description.of_text("-j", (text or "").encode(), Path.cwd())


def _add(
    session: Session, campaign: str, file: str | None, text: str | None, *, dump: bool
) -> Exit:
    if file is None and text is None:
        return missing("No jobs to add: give a JSON array with -F or -J")
    array = (text or "").encode() if file is None else description.given(file)[1]
    try:
        number = identifier(campaign, "campaign")
        response = session.client.post_array(number, array)
    except CigriError as error:
        return failed(f"Failed to add jobs to campaign {campaign}", error)
    _tell(session, response, [f"Jobs successfully added to campaign {number}"], dump)
    return Exit.DONE


def _tell(session: Session, response: Answer, lines: Iterable[str], dump: bool) -> None:
    if dump:
        session.write(response.content)
    else:
        say(*lines)
