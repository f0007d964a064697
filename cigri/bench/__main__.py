"""Run `python -m cigri.bench` with `local`, `million`, `streams` or `pages`."""

import argparse
import sys

from cigri.bench import local, million, pages, streams


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m cigri.bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="local|million|streams|pages")
    _local(commands.add_parser("local", help=local.__doc__))
    _million(commands.add_parser("million", help=million.__doc__))
    _streams(commands.add_parser("streams", help=streams.__doc__))
    _pages(commands.add_parser("pages", help=pages.__doc__))
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


if __name__ == "__main__":
    main()
