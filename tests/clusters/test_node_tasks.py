"""Single tasks on a node: real shells run what a cluster would be given."""

import json
import random
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import attrs
import pytest

from cigri.clusters import node, worker
from cigri.domain.model import JobKind
from cigri.domain.verdict import Ending
from cigri.errors import SubmissionRejected
from tests.clusters.groups import until
from tests.clusters.nodes import TAG, Home, batch, pack

#: Print the arguments in hex, a word on a line, so that no byte of them can hide.
SHOW_WORDS = "import os, sys; [print(os.fsencode(word).hex()) for word in sys.argv[1:]]"
SHOW_SELF = """
import json, os, signal
ignored = [int(s) for s in signal.valid_signals() if signal.getsignal(s) is signal.SIG_IGN]
print(json.dumps({
    "environment": dict(os.environ),
    "directory": os.getcwd(),
    "input": os.read(0, 1).decode(),
    "files": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1],
}))
"""
#: Where `python` of the tests lies.
PYTHON = f"{sys.executable} -I -S -c"

WORDS = [
    "plain", "-n", "--", "-", "--seed=3", "a b", " a", "a ", "", "'", '"', "''", '""', "it's",
    "`id`", "$(touch hit)", "${HOME}", "$HOME", "$0", "$@", "$$", "$((1+1))", "\\", "\\\\",
    "\\n", "a\\ b", ";", "a;touch hit", "&", "&&", "|", "| touch hit", "> hit", "<hit",
    "<<EOF", "(", ")", "{a,b}", "{", "}", "#", "# no comment", "a#b", "*", "?", "[a-z]*", "~",
    "~root", "~/x", "!", "!!", "!$", "%", "%s%n", "%%", "^", "=", "a=b", "=ls", "+x", "@",
    "\t", "a\tb", "\n", "a\nb", "\n\n", "a\n", "\r", "a\r\nb", "\x01\x02", "\x07", "\x1b[31m",
    "\x7f", "\x81\x88", "é", "日本語", "🙂", "e\u0301", "\u2028", "\u00a0", "\ufeff", "\udce9",
    "caf\udce9", "\udcff\udc80", "\udc81\udc82\udc88", "'\udce9'", "\n'\udcff\"$(id)",
    "x" * 8192, "'" * 1000, "$(" * 1000, "\n" * 1000, "é" * 4096, " " * 500, "\\" * 999,
    '"' * 999, "{S}", "{HOME}", "{CAMPAIGN_ID}", "\\$HOME", "`", "$'\\n'", '$"x"', "if",
    "done", "EOF", "_c_n", '"$_c_n"',
]  # fmt: skip
#: What a task may be given: a text that is split, or words that are taken as they are.
NASTY = [
    *((word,) for word in WORDS),
    *(worker.join_words([word]) for word in WORDS),
    tuple(WORDS[:75]),
    (),
    ("", "", ""),
    "",
    "   ",
    "a  b",
    " a 'b c' \"d e\" f\\ g ",
    "'a'\"b\"'c'",
    "-n 3 'two words' $HOME \\;",
    "日本 é 'ü ß'",
    "\ta\tb\n c",
]
LOGIN_SHELLS = {
    "sh": ("/bin/sh", "-c"),
    "bash": ("/bin/bash", "-c"),
    "zsh": ("/bin/zsh", "-c"),
    "tcsh": ("/bin/tcsh", "-c"),
    "fish": ("/usr/bin/fish", "-c"),
}
#: What `sh` may be on a node.
SHELLS = {"dash": "/bin/dash", "bash": "/bin/bash", "busybox": "/bin/busybox"}

ways = pytest.mark.parametrize("inline", [False, True], ids=["files", "inline"])


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return Home(path)


def show(program=SHOW_WORDS):
    """Return a command that runs a program in Python."""
    return f"{PYTHON} {shlex.quote(program)}"


def words_seen(home, position=0):
    lines = home.output(position).decode().split("\n")[:-1]
    return [bytes.fromhex(line).decode("utf-8", "surrogateescape") for line in lines]


def use_shell(home, name):
    """Let `sh` be another one."""
    program = SHELLS[name]
    if not Path(program).exists():
        pytest.skip(f"no {name} here: apt-get install {name}")
    places = home.path / "bin"
    places.mkdir()
    (places / "sh").symlink_to(program)
    home.env["PATH"] = f"{places}:{home.env['PATH']}"


def run_all(home, parameters, *, inline=False, **settings):
    """Run a task for each parameter and return what each has seen."""
    parcel = pack(batch(parameters, exec_file=show(), **settings), inline=inline)
    home.lay(parcel)
    for position in range(len(parcel.lines)):
        assert home.run(parcel, position) == (Ending.EXITED, 0), home.errors(position)
    return [words_seen(home, position) for position in range(len(parcel.lines))]


def expected(parameter):
    given = parameter if isinstance(parameter, str) else list(parameter)
    return worker.command_line("", given, "", 0)


def test_there_are_enough_nasty_parameters():
    assert len(set(NASTY)) >= 200


@pytest.mark.parametrize("portion", range(4))
def test_every_byte_of_a_parameter_arrives(home, portion):
    parameters = NASTY[portion::4]

    seen = run_all(home, parameters)

    assert seen == [expected(parameter) for parameter in parameters]
    assert not list(home.path.glob("**/hit"))
    assert home.log() == ""


@pytest.mark.parametrize("name", SHELLS)
@ways
def test_every_byte_arrives_whatever_sh_is(home, name, inline):
    use_shell(home, name)
    every_byte = "".join(bytes([i]).decode("latin-1") for i in range(1, 256))
    raw = bytes(range(1, 256)).decode("utf-8", "surrogateescape")
    parameters = [
        tuple(w for w in WORDS if len(w) < 5000),
        (every_byte, raw),
        "-n 3 'a b'",
        "plain words",
        (),
    ]

    seen = run_all(home, parameters, inline=inline)

    assert seen == [expected(parameter) for parameter in parameters]


@pytest.mark.parametrize("name", LOGIN_SHELLS)
@ways
def test_the_shell_of_the_user_sees_nothing_of_it(home, name, inline):
    home.shell = LOGIN_SHELLS[name]
    if not Path(home.shell[0]).exists():
        pytest.skip(f"no {name} here: apt-get install {name}")
    parameters = [tuple(WORDS[:60]), "plain words", ("日本", "\udcff")]

    seen = run_all(home, parameters, inline=inline)

    assert seen == [expected(parameter) for parameter in parameters]


@pytest.mark.parametrize("inline", [False, True])
def test_what_reaches_the_cluster_means_nothing_to_a_shell(inline):
    nasty = batch(NASTY[:50], exec_file="a 'b c' `id`", env={"A": "$(id)\n"}, name="$(id) 'x'")

    parcel = pack(nasty, inline=inline)

    harmless = re.compile(r"[A-Za-z0-9 ._/+=-]+")
    command = parcel.command
    if inline:
        fixed = 'exec sh -c \'eval "$(printf %s "$1" | base64 -d | gzip -dc)"\' '
        assert command.startswith(fixed)
        command = command.removeprefix(fixed)
    assert harmless.fullmatch(command)
    assert all(harmless.fullmatch(line) for line in parcel.lines)
    assert all(harmless.fullmatch(name) for name in parcel.files)


@ways
def test_what_a_task_finds(home, inline):
    (home.path / "some where").mkdir()
    home.env["OLDPWD"] = "/"
    env = {"COLOUR": "grün 'x'", "IFS": "x", "UID": "7", "PS4": "+", "RANDOM": "1", "PWD": "/"}
    parcel = pack(
        batch(
            ["a 'b c'"],
            exec_file=show(SHOW_SELF),
            exec_directory="{HOME}/some where",
            resources="/core=2",
            name="it's",
            env=env,
            walltime=90.0,
        ),
        inline=inline,
    )
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0), home.errors()

    found = json.loads(home.output())
    environment = found.pop("environment")
    directory = f"{home.path}/some where"
    assert found == {"directory": directory, "input": "", "files": [0, 1, 2]}
    assert {name: text for name, text in environment.items() if name.startswith("CIGRI_")} == {
        "CIGRI_TOKEN": TAG,
        "CIGRI_CAMPAIGN_ID": "12",
        "CIGRI_CAMPAIGNID": "12",
        "CIGRI_TASK": "0",
        "CIGRI_ATTEMPT": "2",
        "CIGRI_JOB_ID": "1000",
        "CIGRI_JOBID": "1000",
        "CIGRI_PARAMETER": "a 'b c'",
        "CIGRI_USER": "ann",
        "CIGRI_WORKDIR": directory,
        "CIGRI_WORKING_DIRECTORY": directory,
        "CIGRI_WALLTIME": "00:01:30",
        "CIGRI_WALLTIME_SECONDS": "90",
        "CIGRI_RESOURCES": "/core=2",
        "CIGRI_NODE_FILE": home.env["OAR_NODEFILE"],
        "CIGRI_NODEFILE": home.env["OAR_NODEFILE"],
        "CIGRI_JOB_NAME": "it's",
        "CIGRI_JOBNAME": "it's",
    }
    wanted = {**env, "PWD": directory, "HOME": str(home.path)}
    assert {name: environment[name] for name in wanted} == wanted
    assert "OLDPWD" not in environment
    assert not [name for name in environment if name.startswith("_c_")]


@ways
def test_macros_are_for_the_command_and_its_directory(home, inline):
    (home.path / "12").mkdir()
    command = f"{show()} ~/a $HOME '{{HOME}} x' {{CAMPAIGN_ID}} '\\$HOME' \\$X a~ ${{HOME}}"
    parameter = "~ $HOME {HOME} {CAMPAIGN_ID}"
    parcel = pack(
        batch([parameter], exec_file=command, exec_directory="~/{CAMPAIGN_ID}"), inline=inline
    )
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0), home.errors()

    words = worker.command_line(command, parameter, str(home.path), 12)
    assert words_seen(home) == words[5:]
    assert words[-4:] == ["~", "$HOME", "{HOME}", "{CAMPAIGN_ID}"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (None, ["--seed=7 'x", "0.5", "more"]),
        ("-t {T}K -s {S}", ["--seed=7 'x", "-t", "0.5K", "-s", "7 'x", "more"]),
    ],
)
def test_words_with_names_go_to_their_places(home, template, words):
    parcel = pack(
        batch(
            [("7 'x", "0.5", "more")],
            exec_file=f"{show()} --seed={{S}}",
            parameter_names=("S", "T"),
            parameter_template=template,
        ),
        inline=False,
    )
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0), home.errors()

    assert words_seen(home) == words


@pytest.mark.parametrize(
    ("command", "ending"),
    [
        ("exit 3", (Ending.EXITED, 3)),
        ("exit 127", (Ending.EXITED, 127)),
        # As a shell would tell the end of one of our signals: it is the program's own business.
        ("exit 173", (Ending.EXITED, 173)),
        ("kill -KILL $$", (Ending.EXITED, -9)),
        ("kill -USR2 $$", (Ending.EXITED, -12)),
    ],
)
def test_the_end_is_the_programs_own(home, command, ending):
    parcel = pack(batch([("-c", command)], exec_file="sh"), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == ending


def script_of(home, text, mode=0o755):
    path = home.path / "prog"
    path.write_text(text)
    path.chmod(mode)


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize(
    ("settings", "ending", "said"),
    [
        ({"exec_file": "no-such-program"}, Ending.NOT_STARTED, "no-such-program"),
        ({"exec_file": "/no/such"}, Ending.NOT_STARTED, "/no/such"),
        ({"exec_file": "./nodefile"}, Ending.NOT_STARTED, "ermission denied"),
        ({"exec_file": "./prog"}, Ending.NOT_STARTED, "prog"),
        ({"exec_file": "-x"}, Ending.NOT_STARTED, "-x"),
        ({"exec_file": "nope", "env": {"UID": "3"}}, Ending.NOT_STARTED, "nope"),
        ({"exec_file": ""}, Ending.UNUSABLE, "no program"),
        ({"exec_directory": "/no/such"}, Ending.NO_DIRECTORY, "/no/such"),
        ({"exec_directory": "~/nodefile"}, Ending.NO_DIRECTORY, "nodefile"),
    ],
)
def test_what_cannot_start_says_so(home, name, settings, ending, said):
    use_shell(home, name)
    script_of(home, "#!/no/such/interpreter\n")
    parcel = pack(batch([()], **settings), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == (ending, None)

    assert said in home.errors()


def test_a_script_without_an_interpreter_runs_in_a_shell(home):
    script_of(home, 'echo "$1"\n')
    parcel = pack(batch(["yes"], exec_file="~/prog"), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0)

    assert home.output() == b"yes\n"


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("it's", "nothing closes"),
        (("x" * 131_072,), "131072 bytes"),
        (("é" * 65_536,), "131072 bytes"),
        (("a\0b",), "NUL"),
    ],
)
def test_words_that_are_none_concern_their_task_alone(home, parameter, said):
    parcel = pack(batch([parameter, "fine"]), inline=False)
    home.lay(parcel)

    assert home.run(parcel, 0) == (Ending.UNUSABLE, None)
    assert home.run(parcel, 1) == (Ending.EXITED, 0)

    assert said in home.errors(0)


def test_the_longest_word_arrives_though_no_variable_can_repeat_it(home):
    longest = "x" * 131_071
    parcel = pack(batch([(longest,)], exec_file=show()), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0), home.errors()

    assert words_seen(home) == [longest]


def test_nothing_of_a_renounced_submission_starts(home):
    parcel = pack(batch(["a"], exec_file="touch ran"), inline=False)
    home.lay(parcel)
    (home.path / node.void_file(TAG)).touch()

    assert home.run(parcel) == (Ending.REMOVED, None)

    assert not (home.path / "ran").exists()


@ways
def test_a_script_of_a_prologue_runs_whole(home, inline):
    text = "cat <<'EOF'\nit's $HOME \\n\nEOF\necho \"$OAR_JOB_ID ${CIGRI_TASK-none} $PWD\"\nexit 4"
    home.env["OAR_JOB_ID"] = "77"
    parcel = pack(
        batch([""], kind=JobKind.PROLOGUE, script=text, exec_file="", exec_directory="$HOME"),
        inline=inline,
    )
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 4)

    assert home.output().decode() == f"it's $HOME \\n\n77 none {home.path}\n"


def test_a_warning_reaches_the_program_itself(home):
    program = "trap 'echo warned; exit 66' USR2; touch ready; while :; do sleep 0.02; done"
    parcel = pack(batch([("-c", program)], exec_file="sh"), inline=False)
    home.lay(parcel)
    with home.start(parcel) as process:
        until((home.path / "ready").exists)
        process.send_signal(signal.SIGUSR2)

        assert process.wait() == 66

    assert home.output() == b"warned\n"


def test_a_task_that_runs_again_begins_its_output_anew(home):
    parcel = pack(batch(["x"], exec_file="echo"), inline=False)
    home.lay(parcel)
    home.run(parcel)

    home.run(parcel)

    assert home.output() == b"x\n"


@pytest.mark.parametrize("most_bytes", [60_000, 20_000, 4_000], ids=["plain", "packed", "parts"])
def test_many_tasks_each_find_their_own(home, most_bytes):
    many = batch([f"word {i}" for i in range(1234)], exec_file="echo")
    parcel = node.pack(many, inline=False, most_bytes=most_bytes)
    home.lay(parcel)
    positions = [0, 1, 99, 100, 101, 777, 1200, 1233]

    for position in positions:
        home.run(parcel, position)

    assert (len(parcel.files) > 1) == (most_bytes == 4_000)
    assert (b"| gzip" in parcel.files[f".cigri/{TAG}/run"]) == (most_bytes < 60_000)
    assert [home.output(i) for i in positions] == [b"word %d\n" % i for i in positions]


def random_text(seed, size):
    return random.Random(seed).randbytes(size).hex()


def test_what_one_file_cannot_hold_goes_into_several(home):
    texts = [random_text(i, 700) for i in range(250)]
    parcel = node.pack(batch(texts, exec_file="echo"), inline=False, most_bytes=20_000)
    home.lay(parcel)
    positions = [0, 30, 99, 100, 180, 249]

    for position in positions:
        assert home.run(parcel, position) == (Ending.EXITED, 0), home.errors(position)

    assert len(parcel.files) > 9
    assert max(map(len, parcel.files.values())) <= 20_000
    assert [home.output(i).decode() for i in positions] == [f"{texts[i]}\n" for i in positions]


@ways
def test_settings_that_are_too_large_are_refused(inline):
    large = batch([""], env={"A": random_text(1, 70_000)})

    with pytest.raises(SubmissionRejected, match=r"put .* into a"):
        pack(large, inline=inline)


def test_inline_a_task_that_is_too_large_is_refused():
    with pytest.raises(SubmissionRejected, match="bytes: the cluster takes 100000"):
        pack(batch([("x" * 80_000,)]), inline=True)


def test_the_same_submission_makes_the_same_files():
    one, other = (pack(batch(["a", "b"]), inline=False) for _ in range(2))

    assert one == other


def test_a_tag_that_a_shell_could_read_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="not a tag"):
        pack(attrs.evolve(batch(["a"]), tag="../x y"), inline=False)


def test_what_is_missing_on_the_node_is_told(home):
    parcel = pack(batch(["a"]), inline=False)
    home.lay(parcel)
    shutil.copy(shutil.which("sh"), home.path / "sh")
    home.env["PATH"] = str(home.path)

    assert home.run(parcel) == (Ending.NOT_STARTED, None)

    assert "no task 0" in home.errors()
