"""The ``fullmakt`` command's entry. It loads nothing before it can be interrupted in good order."""

from __future__ import annotations

import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells tell it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Load the commands, which takes a second, and run the one that is named; Ctrl-C ends either without a word."""
    try:
        from fullmakt.serve.commands import run

        run(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
