"""Run every benchmark: `make bench`."""

from __future__ import annotations

from tests.benchmarks import (
    bench_drain,
    bench_idle,
    bench_latency,
    bench_overhead,
    bench_pools,
    bench_publishing,
    bench_receiver,
    bench_redaction,
    bench_retention,
    bench_sandbox,
    bench_throughput,
)

if __name__ == "__main__":
    bench_throughput.main()
    bench_pools.main()
    bench_overhead.main()
    bench_latency.main()
    bench_drain.main()
    bench_idle.main()
    bench_receiver.main()
    bench_redaction.main()
    bench_retention.main()
    bench_publishing.main()
    bench_sandbox.main()  # ends the process
