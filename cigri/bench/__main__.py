"""Run `python -m cigri.bench` with `local`, `million`, `streams`, `pages` or `oar`."""

import argparse
import sys

from cigri.bench import local, million, oar, oar_real, pages, streams


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m cigri.bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="local|million|streams|pages|oar")
    _local(commands.add_parser("local", help=local.__doc__))
    _million(commands.add_parser("million", help=million.__doc__))
    _streams(commands.add_parser("streams", help=streams.__doc__))
    _pages(commands.add_parser("pages", help=pages.__doc__))
    _oar(commands.add_parser("oar", help=oar.__doc__))
    options = parser.parse_args()
    options.run(options)


def _local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument(
        "--only", nargs="+", choices=local.CONTENDERS, default=local.CONTENDERS, metavar="NAME"
    )
    parser.add_argument(
        "--hyperqueue-python",
        default=sys.executable,
        metavar="PYTHON",
        help="a Python that has the package hyperqueue (default: this one)",
    )
    parser.set_defaults(
        run=lambda options: local.main(
            local.Plan(
                tasks=options.tasks,
                rounds=options.rounds,
                slots=options.slots,
                only=options.only,
                hyperqueue_python=options.hyperqueue_python,
            )
        )
    )


def _million(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long its tasks run (default: 60)"
    )
    parser.set_defaults(
        run=lambda options: million.main(
            tasks=options.tasks, slots=options.slots, seconds=options.seconds
        )
    )


def _streams(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listeners", type=int, default=100)
    parser.add_argument("--rate", type=float, default=500.0, help="tasks a second (default: 500)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window (default: 10)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.set_defaults(
        run=lambda options: streams.main(
            listeners=options.listeners,
            rate=options.rate,
            seconds=options.seconds,
            rounds=options.rounds,
        )
    )


def _pages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.set_defaults(run=lambda options: pages.main(tasks=options.tasks))


def _oar(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=[1.0, 2.0, 30.0], help="that tasks take"
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, help="seconds that the fake takes for an answer"
    )
    parser.add_argument(
        "--latency-per-job", type=float, default=0.0, help="more of these for each job in it"
    )
    real = parser.add_argument_group("a real OAR 2.5 instead, which believes for whom we speak")
    real.add_argument("--real", action="store_true", help="run short campaigns on one")
    real.add_argument("--url", default="http://127.0.0.1:6668/oarapi")
    real.add_argument("--user", default="alice", help="a user there (default: alice)")
    real.add_argument("--cores", type=int, default=16, help="that it has (default: 16)")
    real.add_argument(
        "--only", nargs="+", choices=oar_real.RUNS, default=list(oar_real.RUNS), metavar="RUN"
    )
    parser.set_defaults(run=lambda options: _real(options) if options.real else _fake(options))


def _real(options: argparse.Namespace) -> None:
    tasks = min(options.tasks, 2_000)
    oar_real.main(
        oar_real.Plan(
            url=options.url,
            user=options.user,
            cores=options.cores,
            tasks=tasks,
            only=options.only,
        )
    )


def _fake(options: argparse.Namespace) -> None:
    oar.main(
        [
            oar.Plan(
                # Of long ones some rounds on all cores tell the same.
                tasks=min(options.tasks, 5 * oar.CORES) if seconds >= 10 else options.tasks,
                seconds=seconds,
                latency=options.latency,
                latency_per_job=options.latency_per_job,
            )
            for seconds in options.seconds
        ]
    )


if __name__ == "__main__":
    main()
