"""``python -m bench``: run the scenarios, print the figures, and a table at the end."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from bench import machine
from bench.harness import QUICK, Bench, Sizes
from bench.report import Report
from bench.scenarios import SCENARIOS
from fullmakt.infra.embedded import EmbeddedPostgres


def main() -> None:
    """Run what was asked for; a missed target is told and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and shorter: a first look, not a measurement")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="this scenario; may be repeated")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    console = Console()
    report = Report(console)
    load = os.getloadavg()[0]
    report.note(f"{len(machine.CORES)} cores, load average {load:.1f} before the start")
    if load > 0.5:
        report.note("something else is running: the figures will be lower than they should be")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fullmakt-bench-")))
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", hold=True))
        bench = Bench(folder, postgres, report, QUICK if arguments.quick else Sizes(), stack)
        for name in arguments.only or SCENARIOS:
            SCENARIOS[name](bench)
    for table in report.tables():
        console.print()
        console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=2))


if __name__ == "__main__":
    main()
