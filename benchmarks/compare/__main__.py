import asyncio
import sys

from benchmarks.compare import cloud_run, lambda_runtime, packages
from benchmarks.compare.catalog import PEERS
from benchmarks.compare.processes import leave_a_core
from benchmarks.compare.upstreams import upstreams

core = leave_a_core()
chosen = [p for p in PEERS.values() if any(a in p.name for a in sys.argv[1:]) or not sys.argv[1:]]
with upstreams() as u:
    for p in chosen:
        k = packages.package(p)
        for _ in range(2):
            if p.platform == "lambda":
                m = asyncio.run(lambda_runtime.measure(p, k.folder, u, core, 200)) | asyncio.run(
                    lambda_runtime.measure_restore(p, k.folder, u, core)
                )
            elif p.platform == "run":
                m = cloud_run.measure(p, k.folder, u, core, 200)
            else:
                m = cloud_run.measure_throughput(p, k.folder, u, core)
            print(p.name, {n: round(v, 2) for n, v in m.items()}, round(k.zipped, 1), round(k.unpacked, 1), flush=True)
