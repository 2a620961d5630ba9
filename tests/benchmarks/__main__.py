"""Run every benchmark: `make bench`."""

from __future__ import annotations

from tests.benchmarks import bench_sandbox, bench_throughput

if __name__ == "__main__":
    bench_throughput.main()
    bench_sandbox.main()
