"""The schema of a campaign's description, from the same tables of fields that read it.

The reader takes a little more than this: keys at the top in any case, as CiGri 3 did.
"""

from collections.abc import Iterable
from typing import Any

from cigri.domain import fields, recipe, sweep
from cigri.domain.model import CampaignType, JobsType, TestMode

Json = dict[str, Any]

JDL = "CampaignDescription"
SETTINGS = "ClusterSettings"

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": ["integer", "string"], "pattern": r"^\s*-?[0-9]+\s*$"}
#: How CiGri 3's files say yes and no, and that a field is not used.
_SWITCH: Json = {"type": ["boolean", "string", "null"]}
_WALLTIME: Json = {"type": "string", "examples": ["01:30:00", "1h30m", "2-00:00:00"]}
_SCRIPT: Json = {"type": ["array", "string", "null"], "items": _TEXT}
_UNUSED: Json = {"type": ["string", "boolean", "null"]}
_PARAMETER: Json = {"type": ["string", "number", "array"], "items": _TEXT}
_AXES: Json = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": ["string", "array", "number"]},
    "examples": [{"T": "0:1:11", "seed": "1..100", "model": ["a", "b"]}],
}

#: Of each field what it takes.
FIELDS: dict[str, Json] = {
    "type": {"type": "string", "examples": [each.value for each in CampaignType]},
    "walltime": _WALLTIME,
    "exec_file": {"type": "string", "examples": ["~/bin/simulate"]},
    "exec_directory": {"type": "string", "examples": ["$HOME", "~/results"]},
    "resources": {"type": ["string", "integer"], "examples": ["/nodes=1/core=4", "core=2", 2]},
    "properties": _UNUSED,
    "project": _UNUSED,
    "cluster_job_type": _UNUSED,
    "prologue": _SCRIPT,
    "epilogue": _SCRIPT,
    "prologue_walltime": _WALLTIME,
    "epilogue_walltime": _WALLTIME,
    "output_gathering_method": _UNUSED,
    "output_file": _UNUSED,
    "output_destination": _UNUSED,
    "dimensional_grouping": _SWITCH,
    "temporal_grouping": _SWITCH,
    "checkpointing_type": _UNUSED,
    "test_mode": {**_SWITCH, "examples": [True, False, *map(str, TestMode)]},
    "max_jobs": _NUMBER,
    "retries": _NUMBER,
    "env": {"type": "object", "additionalProperties": _TEXT},
}

#: Of each field of the campaign as a whole what it takes.
GLOBAL: dict[str, Json] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 255},
    "clusters": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"$ref": f"#/components/schemas/{SETTINGS}"},
    },
    "jobs_type": {"type": "string", "examples": [each.value for each in JobsType]},
    "max_fails": {"type": ["integer", "string"], "examples": [5, "10%"]},
    "tags": {"type": "array", "items": _TEXT},
}

#: Of each way to give tasks what it takes.
WAYS: dict[str, Json] = {
    "nb_jobs": _NUMBER,
    "params": {"type": "array", "items": _PARAMETER},
    "param_file": {"type": "string", "examples": ["~/params.txt"]},
    **dict.fromkeys(sweep.FORMS, _AXES),
}


def _object(about: str, known: dict[str, Json], required: Iterable[str] = ()) -> Json:
    found: Json = {"type": "object", "description": about, "properties": known}
    found["additionalProperties"] = False
    return found | ({"required": list(required)} if required else {})


COMPONENTS: dict[str, Json] = {
    JDL: _object(
        "A campaign: what its tasks are, and what is asked of each cluster. "
        "Settings at the top are for all clusters; a cluster's own win.",
        {
            **{name: GLOBAL[name] for name in fields.GLOBAL},
            **{name: WAYS[name] for name in recipe.WAYS},
            **{name: FIELDS[name] for name in fields.FIELDS},
        },
        ("name", "clusters"),
    ),
    SETTINGS: _object(
        "What is asked of one cluster.", {name: FIELDS[name] for name in fields.FIELDS}
    ),
}

#: The body of a submission.
BODY: Json = {"$ref": f"#/components/schemas/{JDL}"}
#: The body that adds tasks.
PARAMETERS: Json = {"type": "array", "items": _PARAMETER}
