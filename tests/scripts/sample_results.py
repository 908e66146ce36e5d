"""Results as bench_sandbox writes them, with a seeded scatter: what the tests of scripts/report feed it."""

import json
import random

WORKLOADS = {  # name → (native milliseconds, slowdown with gas off, with sync gas, interpreted)
    "fib": (4.8, 1.92, 2.71, 42.0),
    "sieve": (21.5, 1.11, 1.63, 31.0),
    "memset": (5.5, 0.96, 1.04, 22.0),
    "loop_add": (26.8, 0.99, 1.10, 48.0),
}

OTHER_NS = {
    "encoder/none/sequence": 2900.0,
    "encoder/own/sequence": 10400.0,
    "encoder/asmjit/sequence": 61000.0,
    "noop/native/loop": 0.31,
    "noop/native/system_call": 71.0,
    "host_call/generic/loop": 22.0,
    "trap/raw/sigsegv_longjmp": 870.0,
    "trap/raw/sigill_longjmp": 850.0,
    "trap/generic/instruction": 58.0,
    "trap/generic/memory": 990.0,
    "instantiate/generic/cycle/tiny": 9500.0,
    "gas/generic/off/4": 64000.0,
    "gas/generic/sync/4": 96000.0,
}

COMPILE_NS = {"gas_off": 18.0, "sync_naive": 19.5, "sync_pipeline": 68.0}
SIZES = (1000, 10000, 150000)

CONTEXT = {
    "date": "2024-05-01T12:00:00+00:00",
    "host_name": "bench-host",
    "executable": "build/release/bench/bench_sandbox",
    "num_cpus": 2,
    "mhz_per_cpu": 2500,
    "cpu_scaling_enabled": False,
    "caches": [{"type": "Data", "level": 1, "size": 32768, "num_sharing": 1}],
    "load_avg": [0.5, 0.25, 0.1],
    "library_build_type": "debug",
    "build_type": "Release",
    "host_cpu": "Example CPU",
    "build_commit": "0123456789abcdef",
    "build_is_dirty": "no",
    "build_sha256": "ab" * 32,
    "run_seed": "1",
}


def row(name, time, unit="ns", repetition=0, **more):
    """One repetition of one benchmark."""
    return {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "repetitions": 3,
        "repetition_index": repetition,
        "threads": 1,
        "iterations": 100,
        "real_time": time,
        "cpu_time": time,
        "time_unit": unit,
        **more,
    }


def failed_row(name, message):
    return row(name, 0.0, error_occurred=True, error_message=message)


def result(rows, **context):
    return {"context": {**CONTEXT, **context}, "benchmarks": rows}


def process(seed=1, repetitions=3):
    """What one process of the whole suite writes."""
    scatter = random.Random(seed)
    rows = []
    for repetition in range(repetitions):
        for name, time_ns in _all_times().items():
            noisy = time_ns * (1 + scatter.expovariate(50))
            counters = {"noise_run_delay_us": 12.5}
            if name.startswith("compile/"):
                counters["ns_per_instruction"] = noisy / int(name.rpartition("/")[2])
                counters["code_bytes_per_second"] = 3.25e9 * int(name.rpartition("/")[2]) / noisy
                counters["native_bytes_per_instruction"] = 5.5
            if name.startswith("encoder/"):
                counters["ns_per_instruction"] = noisy / 4096
            if name.startswith("gas/"):
                counters["ns_per_block"] = noisy / 64000
            rows.append(row(name, noisy, repetition=repetition, **counters))
    return result(rows, date=f"2024-05-01T12:0{seed % 10}:00+00:00")


def _all_times():
    times = dict(OTHER_NS)
    for workload, (native_ms, gas_off, sync, interpreted) in WORKLOADS.items():
        native_ns = native_ms * 1e6
        times[f"run/native/{workload}"] = native_ns
        times[f"run/generic/gas_off/{workload}"] = native_ns * gas_off
        times[f"run/generic/sync/{workload}"] = native_ns * sync
        times[f"run/native/{workload}/quick"] = native_ns / 100
        times[f"run/generic/gas_off/{workload}/quick"] = native_ns / 100 * gas_off
        times[f"run/interpreter/gas_off/{workload}/quick"] = native_ns / 100 * interpreted
    for mode, per_instruction in COMPILE_NS.items():
        times.update({f"compile/generic/{mode}/{size}": per_instruction * size for size in SIZES})
    return times


def write(folder, name, data):
    """`data` may be text, to write what no JSON library would."""
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path
