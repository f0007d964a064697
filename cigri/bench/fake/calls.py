"""The REST interface of the fake OAR: a call goes in, an answer comes out."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from cigri.bench.fake.answers import Answer, Call, html, many, one_page, refusal, row
from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.media import Media
from cigri.bench.fake.model import OVER, Job, State, Why
from cigri.bench.fake.orders import Refused, order_of
from cigri.bench.fake.render import Tables, page, resource, short, whole
from cigri.bench.fake.select import select

_ACCEPTED = {"application/json", "text/yaml", "text/html"}
_LONGEST_LINE = 8190
#: Kinds of calls whose paths say nothing about the format of the answer.
_BY_HEADER = {"read", "chmod", "upload", "remove", "list", "select"}
_UNKNOWN = (
    "Oardodo error: 52: [OARDODO] ERROR: Cannot get information regarding the target user"
    " (Success)\n\n"
)
_END = r"(?:\.json)?"
#: Method, kind and path of all calls, in the order in which OAR looks at them.
_ROUTES = [
    (method, kind, re.compile(path))
    for method, kind, path in [
        ("GET", "version", rf"/(?:version{_END})?"),
        ("GET", "whoami", rf"/whoami{_END}"),
        ("GET", "timezone", rf"/timezone{_END}"),
        ("GET", "stress", rf"/stress_factor{_END}"),
        ("GET", "resources", rf"/resources(?:/full|/details)?{_END}"),
        ("GET", "table", rf"/jobs/table{_END}"),
        ("GET", "details", rf"/jobs/details{_END}"),
        ("GET", "jobs", rf"/jobs{_END}"),
        ("GET", "job", rf"/jobs/(\d+)(?:/details)?{_END}"),
        ("POST", "submit", rf"/jobs{_END}"),
        ("DELETE", "delete", rf"/jobs/(\d+){_END}"),
        ("POST", "delete", rf"/jobs/(\d+)/deletions/new{_END}"),
        ("POST", "delete_array", rf"/jobs/array/(\d+)/deletions/new{_END}"),
        ("POST", "signal", rf"/jobs/(\d+)/checkpoints/new{_END}"),
        ("POST", "signal", rf"/jobs/(\d+)/signals/(?:\d+){_END}"),
        ("GET", "select", r"/select_all(?:\.json)?"),
        ("GET", "list", r"/media/ls/(.*)"),
        ("GET", "read", r"/media/(.*)"),
        ("POST", "chmod", r"/media/chmod/(.*)"),
        ("POST", "upload", r"/media/(force/)?(.*)"),
        ("DELETE", "remove", r"/media/(.*)"),
    ]
]


def route(call: Call) -> tuple[str, Sequence[str]]:
    """Return what *call* is, `unknown` if nothing, and the parts of its path."""
    for method, kind, path in _ROUTES:
        if method == call.method and (match := path.fullmatch(call.path)):
            return kind, match.groups()
    return "unknown", ()


class Calls:
    """Answers calls about one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.media = Media(cluster)
        self._tables = Tables()
        self._open: dict[str, Callable[..., Answer]] = {
            "version": self._version,
            "whoami": self._whoami,
            "timezone": self._timezone,
            "stress": self._stress,
            "resources": self._resources,
            "table": self._table,
            "jobs": self._jobs,
            "details": self._details,
        }
        self._closed: dict[str, tuple[str, Callable[..., Answer]]] = {
            "job": ("looking at jobs", self._job),
            "submit": ("posting jobs", self._submit),
            "delete": ("deleting jobs", self._delete),
            "delete_array": ("deleting jobs", self._delete_array),
            "signal": ("checkpointing jobs", self._signal),
            "select": ("looking at jobs", self._select),
            "read": ("getting files", self.media.read),
            "list": ("getting files", self.media.list),
            "chmod": ("changing files", self.media.chmod),
            "upload": ("getting files", self._upload),
            "remove": ("getting files", self.media.remove),
        }

    def answer(self, call: Call) -> Answer:
        """Do what *call* asks."""
        self._cluster.advance()
        kind, parts = route(call)
        unfit = self._unfit(call, kind)
        if unfit is not None:
            return unfit
        try:
            if kind in self._open:
                return self._open[kind](call, *parts)
            doing, do = self._closed[kind]
            return do(call, _user(call, doing), *parts)
        except Refused as error:
            return refusal(error.code, error.title, str(error))

    def _unfit(self, call: Call, kind: str) -> Answer | None:
        """Return how a request is refused before anybody reads what it asks."""
        if len(call.path) + len(call.query) > _LONGEST_LINE:
            return html(414, "Request-URI Too Long")
        if len(call.body) > self._cluster.options.max_body:
            return html(500, "Internal Server Error")
        if kind == "unknown":
            return refusal(404, "Not found", f"No way to handle your request {call.path}")
        named = kind not in _BY_HEADER and call.path.endswith(".json")
        if not named and call.accept not in _ACCEPTED:
            text = "Valid types are text/yaml, application/json or text/html"
            return refusal(406, f"Invalid content type required {call.accept}", text)
        return None

    def _version(self, call: Call) -> Answer:
        about = {"oar_version": "2.5.9 (Canicule)", "api_version": "1.0.2"}
        return one_page(self._cluster, **about, apilib_version="1.0.2", api_timezone="UTC")

    def _whoami(self, call: Call) -> Answer:
        return one_page(self._cluster, authenticated_user=call.user)

    def _timezone(self, call: Call) -> Answer:
        return one_page(self._cluster, api_timezone="UTC")

    def _stress(self, call: Call) -> Answer:
        links = [{"rel": "self", "href": f"{call.base}/stress_factor"}]
        return one_page(self._cluster, GLOBAL_STRESS=self._cluster.options.stress, links=links)

    def _resources(self, call: Call) -> Answer:
        cores = range(1, self._cluster.options.cores + 1)
        return many(call, self._cluster, cores, lambda core: row(resource(core, self._cluster)))

    def _table(self, call: Call) -> Answer:
        now = int(self._cluster.now())
        return many(
            call, self._cluster, self._matching(call), lambda job: self._tables.row(job, now)
        )

    def _jobs(self, call: Call) -> Answer:
        now = int(self._cluster.now())
        return many(call, self._cluster, self._matching(call), lambda job: row(short(job, now)))

    def _details(self, call: Call) -> Answer:
        def lay_out(job: Job) -> str:
            return row(whole(job, self._cluster, asker=call.user, listed=True))

        return many(call, self._cluster, self._matching(call), lay_out)

    def _job(self, call: Call, user: str, number: str) -> Answer:
        job = self._cluster.jobs.get(int(number))
        if job is None:
            return refusal(404, "Job not found", "Job not found")
        return Answer(body=page(whole(job, self._cluster, asker=user)), jobs=1)

    def _submit(self, call: Call, user: str) -> Answer:
        if user not in {*self._cluster.options.users, "root", "oar"}:
            raise Refused(401, "Permission denied", _UNKNOWN)
        order = order_of(_decoded(call), user, self._cluster.options)
        made = self._cluster.submit(order.made, held=order.held)
        first = made[0].id
        said = [order.said, *(f"OAR_JOB_ID={job.id}\n" for job in made)]
        if len(made) > 1:
            said.append(f"OAR_ARRAY_ID={first}\n")
        links = [{"href": f"{call.base}/jobs/{first}", "rel": "self"}]
        answer = one_page(self._cluster, id=first, cmd_output="".join(said), links=links)
        return attrs.evolve(answer, code=201, jobs=len(made))

    def _delete(self, call: Call, user: str, number: str) -> Answer:
        done, said = self._frag(int(number), user)
        if not done:
            command = f"/usr/lib/oar/oardodo/oardodo oardel {number}"
            text = f"Oardel command exited with status 256: {said}. (Command was: {command})."
            return refusal(400, "Oardel error", text)
        return self._registered(call, number, said)

    def _delete_array(self, call: Call, user: str, number: str) -> Answer:
        array = [job for job in self._cluster.jobs.values() if job.sub.first == int(number)]
        results = [self._frag(job.id, user) for job in array]
        said, status = "".join(text for _, text in results), 256
        if not array:
            said, status = f'[ERROR] "{number}" is not a valid array job\n', 1024
        if not array or not all(done for done, _ in results):
            command = f"/usr/lib/oar/oardodo/oardodo oardel --array {number}"
            text = f"Oar command exited with status {status}: {said}. (Command was: {command})."
            return refusal(400, "Oar error", text)
        return attrs.evolve(self._registered(call, number, said), jobs=len(array))

    def _frag(self, number: int, user: str) -> tuple[bool, str]:
        """Return whether a job is to end, and what oardel says."""
        job = self._cluster.jobs.get(number)
        said = f"Deleting the job = {number} ..."
        if job is None or user not in {job.sub.user, "root", "oar"}:
            return False, f"{said}ERROR.\nCannot frag {number} ; You are not the right user.\n"
        noted = self._cluster.events.get(number, ())
        if any(event.type == "FRAG_JOB_REQUEST" for event in noted):
            return False, f"{said}ERROR.\nThis job was already killed\n"
        if job.state in OVER:
            self._cluster.note_deletion(job, user)
        else:
            self._cluster.kill(job, Why.DELETED, user)
        soon = f"The job(s) [ {number} ] will be deleted in the near future.\n"
        return True, f"{said}REGISTERED.\n{soon}"

    def _signal(self, call: Call, user: str, number: str) -> Answer:
        job = self._cluster.jobs.get(int(number))
        reason = ""
        if job is None or user not in {job.sub.user, "root", "oar"}:
            reason = "You are not the right user."
        elif job.state is not State.RUNNING:
            reason = "This job is not running."
        if job is None or reason:
            said = f"Checkpointing the job {number} ...ERROR.\nCannot checkpoint {number} ;"
            text = f"Oar command exited with status 256: {said} {reason}\n"
            return refusal(400, "Oar error", text)
        self._cluster.checkpoint(job, user)
        return self._registered(call, number, "", status="Checkpoint request registered")

    def _select(self, call: Call, user: str) -> Answer:
        query = call.asked.get("query")
        if query is None:
            raise Refused(400, "Bad query", "The 'query' parameter is mandatory")
        rows = select(query, self._cluster)
        if not rows:  # no row at all is taken for an error
            raise Refused(500, "SQL error", "SQL error")
        return many(call, self._cluster, rows, row, zero_is_none=True)

    def _upload(self, call: Call, user: str, force: str | None, asked: str) -> Answer:
        return self.media.upload(call, user, asked, force=force is not None)

    def _registered(
        self, call: Call, number: str, said: str, *, status: str = "Delete request registered"
    ) -> Answer:
        links = [{"rel": "self", "href": f"{call.base}/jobs/{number}"}]
        more = {"id": number, "status": status, "cmd_output": said, "links": links}
        return attrs.evolve(one_page(self._cluster, **more), code=202, jobs=1)

    def _matching(self, call: Call) -> Sequence[Job]:
        """Return the jobs that the filters of a list choose: none where one is nonsense."""
        asked = call.asked
        try:
            found = self._chosen(asked)
            array = int(asked["array"]) if "array" in asked else None
            last = float(asked["to"]) if "to" in asked else None
        except ValueError:
            return []
        states = asked["state"].split(",") if "state" in asked else None
        if states is None and array is None and last is None and "user" not in asked:
            return list(found)
        return [
            job
            for job in found
            if (states is None or job.state in states)
            and (array is None or job.sub.first == array)
            and ("user" not in asked or job.sub.user == asked["user"])
            and (last is None or (job.start or job.sub.time) <= last)
        ]

    def _chosen(self, asked: dict[str, str]) -> Iterable[Job]:
        jobs = self._cluster.jobs
        if "ids" in asked:
            numbers = sorted({int(word) for word in re.split("[:,]", asked["ids"])})
            return [jobs[number] for number in numbers if number in jobs]
        if "from" in asked:
            return sorted(self._cluster.since(float(asked["from"])), key=lambda job: job.id)
        if asked.keys() & {"array", "state", "to"}:
            return jobs.values()
        return self._cluster.live()


def _user(call: Call, doing: str) -> str:
    """Return who OAR takes the user for: the first word of the login."""
    word = re.search(r"[A-Za-z0-9_]+", call.user)
    if word is None:
        text = f"A suitable authentication must be done before {doing}"
        raise Refused(401, "Permission denied", text)
    return word[0]


def _decoded(call: Call) -> Any:  # noqa: ANN401 # JSON
    if not call.content_type.startswith("application/json"):
        text = "The correct format for a job request is text/yaml or application/json. "
        raise Refused(406, "Job description must be in YAML or JSON", text)
    try:
        return json.loads(call.body)
    except ValueError as error:
        raise Refused(400, "JSON data not understood", f"{error}\n") from error
