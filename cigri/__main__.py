"""The command `cigri`, also as `python -m cigri`."""

import sys

from cigri.cli.main import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
