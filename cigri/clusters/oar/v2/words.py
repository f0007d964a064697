"""What is said to OAR 2.5, in words that it cannot misread, and what its own words mean."""

import re

import msgspec

from cigri.clusters.oar.api import NAME, PATH, TEXT, OarJob, OarOrder, is_id
from cigri.clusters.oar.http import OarHttp
from cigri.clusters.oar.reply import Body, Reply, decode, on_one_line
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected, SubmissionUnknown

#: The numbers with which `oarsub` refuses; those of the first kind come as 400, and none of them
#: has made a job.
_REFUSALS = frozenset({1, 4, 5, 6, 7, 8, 10, 16, 17, 18, 248, 251, 254, 255})
#: What a web server answers to a body that is too long (RFC 9110, 15.5.14).
TOO_LARGE = 413

_STATUS = re.compile(r"exited with status (\d{1,3})(?!\d)")
#: What newer versions say without a number.
_REFUSED = re.compile(
    r"Cannot recognize|\[ADMISSION RULE\] (Error|root and oar)|Unknown option|ERROR ?: The queue"
    r"|Bad resource request|There are not enough resources"
)
_MADE = re.compile(r"^OAR_JOB_ID *= *(\d{1,4000}) *$", re.MULTILINE)
_MADE_ANYWHERE = re.compile(r"OAR_JOB_ID *= *([1-9]\d*)")

#: What a shell would read in a property even in double quotes.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"`$\\]|[^\x00-\x7f]")


class JobRow(msgspec.Struct):
    """A job as the database has it."""

    job_id: int
    array_index: int | None = None
    state: str = ""
    exit_code: int | None = None
    start_time: float = 0.0
    stop_time: float = 0.0


class _Created(msgspec.Struct):
    cmd_output: str


class _Mistake(msgspec.Struct):
    message: str = ""
    title: str = ""


def refused(http: OarHttp, reply: Reply) -> Exception:
    """Return what became of a submission that was not answered with 201."""
    if not reply.is_json or reply.status < 300:
        return _refused_by_web_server(http, reply)
    message = message_of(reply)
    if reply.status == 401:
        return SubmissionRejected(unknown_user(http, "the user", reply))
    if _MADE_ANYWHERE.search(message):
        return SubmissionUnknown(f"OAR answered {reply.status}: {_short(message)}")
    status = _STATUS.search(message)
    known = int(status[1]) in _REFUSALS if status else bool(_REFUSED.search(message))
    if reply.status < 500 or known:
        return SubmissionRejected(f"OAR refuses it: {_short(message)}")
    return SubmissionUnknown(f"OAR answered {reply.status}: {_short(message)}")


def _refused_by_web_server(http: OarHttp, reply: Reply) -> Exception:
    if reply.status == TOO_LARGE:
        return too_large(http)
    unheard = {401, 403, 404, 405, 411, 414}
    if reply.status in unheard or 300 <= reply.status < 400:
        return http.failed(reply)
    # It may have been there before or after OAR.
    return SubmissionUnknown(str(http.failed(reply)))


def too_large(http: OarHttp) -> SubmissionRejected:
    """Return the error of a web server that takes no body of that size: OAR never got it."""
    return SubmissionRejected(
        f"the web server of {http.url} takes no request of that size (413):"
        " set `request_limit_kib` of the cluster to what it takes"
    )


def unknown_user(http: OarHttp, user: str, reply: Reply) -> str:
    """Return what is wrong with a user whom the cluster does not know."""
    said = _short(message_of(reply))
    return f"{http.url} does not take {user} for one of its users: {said}"


def _check_order(order: OarOrder) -> None:
    check(order.name, NAME, "name")
    check(order.output, PATH, "output")
    for text in (order.command, *order.lines):
        check(text, TEXT, "command")
    for text in (order.resource, order.properties, order.project, *order.types):
        if _UNSAFE.search(text):
            raise SubmissionRejected(f"OAR would misread {text!r}: plain characters are wanted")


def body_of(order: OarOrder) -> bytes:
    """Return the JSON of a submission; raises SubmissionRejected for what OAR would misread."""
    _check_order(order)
    wanted = {**order.common(), "resource": order.resource}
    if len(order.lines) == 1:
        wanted["command"] = f"{order.command} {order.lines[0]}"
    else:
        if not all(order.lines):
            raise SubmissionRejected("OAR drops empty lines of an array")
        wanted["command"] = order.command
        wanted["param_file"] = "".join(f"{line}\n" for line in order.lines)
    return msgspec.json.encode(wanted)


def check(text: str, pattern: str, what: str) -> None:
    """Raise SubmissionRejected unless *text*, which is a *what*, is of *pattern*."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise SubmissionRejected(f"OAR would misread the {what} {text!r}")


def media(path: str) -> str:
    """Return where a file of the home is: OAR runs a path with other characters as a command."""
    check(path, PATH, "path")
    if ".." in path.split("/") or path.startswith(("/", "-")):
        raise SubmissionRejected(f"{path} is not a file of the home")
    return f"/media/~/{path}"


def job_of(row: JobRow) -> OarJob:
    """Return a job of the database as listings have it."""
    return OarJob(
        id=row.job_id,
        state=row.state,
        exit_code=row.exit_code,
        start_time=row.start_time,
        stop_time=row.stop_time,
        array_index=row.array_index or 0,
    )


def decoded(http: OarHttp, reply: Reply, kind: type[Body]) -> Body:
    """Return what an answer says; raises ClusterUnreachable for any other than was asked for."""
    if reply.status != 200:
        raise http.failed(reply)
    try:
        return decode(reply.body, kind)
    except ValueError as error:
        if not reply.is_json:
            raise http.failed(reply) from error
        raise ClusterUnreachable(
            f"{http.url} gave half an answer: {error}", fault=Fault.GARBLED
        ) from error


def message_of(reply: Reply) -> str:
    """Return what OAR says of a mistake."""
    try:
        told = decode(reply.body, _Mistake)
    except ValueError:
        return reply.body[:2000].decode("utf-8", "replace")
    return told.message or told.title


def _short(message: str) -> str:
    """Return what a person wants of a message of `oarsub`: not the command that OAR has run."""
    text = message.partition("\n\nCmd:")[0]
    text = re.sub(r"\[ADMISSION RULE\] (Set default|Modify|Automatically)[^\n]*\n", "", text)
    text = re.sub(r"Oarsub command exited with status \d+: |OAR_JOB_ID *= *-\d+\s*", "", text)
    text = re.sub(r"\[ERROR\] Oarsub failed, please verify your request syntax\.", "", text)
    return on_one_line(text, 400)


def ids_made(reply: Reply) -> list[int]:
    """Return the ids that `oarsub` printed, ascending; raises ValueError if that is no answer."""
    found = sorted(int(i) for i in _MADE.findall(decode(reply.body, _Created).cmd_output))
    if len(set(found)) < len(found) or not all(map(is_id, found)):
        message = "numbers that no jobs can have"
        raise ValueError(message)
    return found
