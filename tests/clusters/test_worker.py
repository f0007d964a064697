"""What a task finds when it starts, and what the worker tells of it."""

import os
import shlex
import sys

import pytest

from tests.clusters.groups import until

#: Prints what it is called with, a word on a line, so that no byte of it can hide.
SHOW_WORDS = "import os, sys; print(*(os.fsencode(word).hex() for word in sys.argv[1:]), sep='\\n')"
SHOW_VARIABLES = "import os, json; print(json.dumps(dict(os.environ)))"


def python(program):
    """Return a command that runs *program*."""
    return f"{sys.executable} -I -S -c {shlex.quote(program)}"


def words_seen(group, task):
    return [bytes.fromhex(line).decode() for line in group.output(task).split("\n")[:-1]]
