"""``python -m bench.inside FILE WARM_UP RUNS AT_ONCE``: the decision point without HTTP, in a process of its own.

FILE holds a request on each line. The first WARM_UP are not measured, the rest make RUNS runs. For each run a line of
JSON is printed: ``seconds``, ``cpu_seconds`` of this process, and ``latencies``. Decisions are written down as ever.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import uvloop

from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import load_settings
from fullmakt.wire.altinn.xacml_json import DecisionRequest, read_request


async def _ask(point: DecisionPoint, waiting: Iterator[DecisionRequest], latencies: list[float]) -> None:
    for request in waiting:
        started = time.perf_counter()
        await point.decide(request, actor="bench")
        latencies.append(time.perf_counter() - started)


async def _run(point: DecisionPoint, requests: Sequence[DecisionRequest], at_once: int) -> dict[str, object]:
    latencies: list[float] = []
    waiting = iter(requests)
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_ask(point, waiting, latencies) for _ in range(at_once)))
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "latencies": latencies,
    }


async def _main(requests: Sequence[DecisionRequest], warm_up: int, runs: int, at_once: int) -> None:
    settings = load_settings()
    assembly = assemble(settings, str(settings.database_url))
    point = assembly.altinn.decisions
    await _run(point, requests[:warm_up], at_once)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as in the server
    each = (len(requests) - warm_up) // runs
    for start in range(warm_up, warm_up + each * runs, each):
        print(json.dumps(await _run(point, requests[start : start + each], at_once)))
    await assembly.altinn.stop()
    await assembly.close()


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    uvloop.run(_main([read_request(orjson.loads(line)) for line in lines], *map(int, sys.argv[2:])))
