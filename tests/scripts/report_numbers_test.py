#!/usr/bin/python3
"""Are the numbers of a report right? Small results whose answers can be worked out by hand."""

import unittest

from report_case import ReportTest, figures
from sample_results import row


def run_rows(native, guest, workload="sieve", mode="gas_off", repetition=0):
    return [
        row(f"run/native/{workload}", native, repetition=repetition),
        row(f"run/generic/{mode}/{workload}", guest, repetition=repetition),
    ]


class ReportNumbersTest(ReportTest):
    def test_a_ratio_is_taken_inside_each_process(self):
        # The machine is three times slower in the second process; the ratios are 1.2, 1.4 and 1.3.
        page = self.page_of_rows(run_rows(100, 120), run_rows(300, 420), run_rows(100, 130))
        found = figures(page)
        self.assertEqual(found["slowdown/run/generic/gas_off/sieve"], "1.30×")
        self.assertEqual(found["slowdown/run/generic/gas_off/sieve/range"], "1.20…1.40×")

    def test_a_process_is_its_fastest_repetition(self):
        slow = run_rows(150, 900)
        page = self.page_of_rows(slow + run_rows(100, 110, repetition=1))
        self.assertEqual(figures(page)["slowdown/run/generic/gas_off/sieve"], "1.10×")

    def test_handoff_is_a_lower_quartile(self):
        rows = [row("handoff/generic/futex", time, repetition=i) for i, time in enumerate((1, 100, 110, 120, 130))]
        self.assertEqual(figures(self.page_of_rows(rows))["time/handoff/generic/futex"], "100 ns")

    def test_units_do_not_matter(self):
        rows = [row("run/native/sieve", 2.0, "ms"), row("run/generic/gas_off/sieve", 3000.0, "us")]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["slowdown/run/generic/gas_off/sieve"], "1.50×")
        self.assertEqual(found["time/run/generic/gas_off/sieve"], "3.00 ms")

    def test_the_mean_is_geometric(self):
        rows = run_rows(100, 100, "a") + run_rows(100, 400, "b")
        self.assertEqual(figures(self.page_of_rows(rows))["mean/full/generic/gas_off"], "2.00×")

    def test_the_mean_leaves_out_what_has_no_twin_and_says_so(self):
        rows = run_rows(100, 100, "a") + [row("run/generic/gas_off/lonely", 1e6)]
        page = self.page_of_rows(rows)
        self.assertEqual(figures(page)["mean/full/generic/gas_off"], "1.00×")
        self.assertIn("No native twin was measured for lonely", page)
        self.assertIn("the mean is of 1 of 2 workloads", page)

    def test_a_twin_in_another_process_is_no_twin(self):
        page = self.page_of_rows([row("run/native/sieve", 100)], [row("run/generic/gas_off/sieve", 150)])
        self.assertNotIn("slowdown/run/generic/gas_off/sieve", figures(page))

    def test_without_any_twin_it_says_so(self):
        page = self.page_of_rows([row("run/generic/gas_off/sieve", 150)])
        self.assertIn("No native twin was measured, so there is no slowdown to give", page)
        self.assertEqual(figures(page)["time/run/generic/gas_off/sieve"], "150 ns")

    def test_kinds_of_workloads_have_means_of_their_own(self):
        def labelled(kind, workload, native, guest, fast=None):
            rows = [row(f"run/native/{workload}", native, label=kind),
                    row(f"run/generic/gas_off/{workload}", guest, label=kind)]
            return rows + ([row(f"run/native_fast/{workload}", fast, label=kind)] if fast else [])

        rows = run_rows(100, 150) + labelled("program", "lua", 100, 200, 50) + labelled("program", "lz4", 100, 800, 50)
        found = figures(self.page_of_rows(rows + labelled("kernel", "crc", 10, 11) + labelled("soft float", "f", 1, 90)))
        self.assertEqual(found["mean/full/generic/gas_off"], "1.50×")
        self.assertEqual(found["mean/program/full/generic/gas_off"], "4.00×")
        self.assertEqual(found["mean/kernel/full/generic/gas_off"], "1.10×")
        self.assertEqual(found["mean/soft_float/full/generic/gas_off"], "90.0×")
        self.assertEqual(found["fast/lua"], "0.500×")
        self.assertEqual(found["fast/full/mean/program"], "0.500×")

    def test_a_cold_run_is_split(self):
        counters = {"compile_ns": 10, "spawn_ns": 20, "first_ns": 70, "again_ns": 40, "code_KiB": 3}
        rows = [row("run/native/lua", 50, label="program"), row("cold/linux/lazy/lua", 100, **counters)]
        page = self.page_of_rows(rows)
        found = figures(page)
        self.assertEqual(found["cold/cold/linux/lazy/lua/compile_ns"], "10.0 ns")
        self.assertEqual(found["cold/cold/linux/lazy/lua/first_ns-again_ns"], "30.0 ns")
        self.assertEqual(found["cold-slowdown/cold/linux/lazy/lua"], "2.00×")
        self.assertEqual(found["size/cold/linux/lazy/lua/code_KiB"], "3.00")

    def test_a_workload_may_have_a_slash(self):
        rows = run_rows(100, 250, "sieve/1000000")
        self.assertEqual(figures(self.page_of_rows(rows))["slowdown/run/generic/gas_off/sieve/1000000"], "2.50×")

    def test_metering_is_compared_with_gas_off(self):
        rows = run_rows(100, 200) + [row("run/generic/sync/sieve", 250)]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["metering/run/generic/sync/sieve"], "1.25×")
        self.assertEqual(found["metering-mean/full/generic/sync"], "1.25×")

    def test_a_step_stands_beside_its_primitive(self):
        rows = [row("noop/native/system_call", 100), row("host_call/generic/loop", 25)]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["against/noop/native/system_call/host_call/generic/loop"], "0.250×")

    def test_a_raw_benchmark_of_the_same_name_is_the_primitive(self):
        rows = [row("host_call/raw/loop", 2), row("noop/native/system_call", 100), row("host_call/generic/loop", 25)]
        self.assertEqual(figures(self.page_of_rows(rows))["against/host_call/raw/loop/host_call/generic/loop"], "12.5×")

    def test_a_target_stands_beside_its_floor_and_is_met_or_missed(self):
        primitives = [row("spawn/raw/fork/small_process", 1, p50_ns=30e3), row("spawn/raw/seccomp/4", 1, p50_ns=10e3)]
        worker = "spawn/linux/worker/same_core"
        found = figures(self.page_of_rows([*primitives, row(worker, 1, p50_ns=50e3, p99_ns=300e3)]))
        self.assertEqual(found[f"target/{worker}"], "50.0 µs")
        self.assertEqual(found[f"target/{worker}/floor"], "40.0 µs")
        self.assertEqual(found[f"target/{worker}/ratio"], "1.25×")
        self.assertEqual(found[f"target/{worker}/p99"], "300 µs")
        self.assertEqual(found[f"target/{worker}/verdict"], "p99 missed: 2.00×")
        self.assertEqual(found["targets/met"], "0 of 1 target met.")

    def test_targets_are_of_times_spreads_and_memory(self):
        calls, footprint = "handoff/linux/host_call/cross_core", "footprint/linux/worker"
        page = self.page_of_rows([
            row("host_call/generic/loop", 12),
            row(calls, 1, p50_ns=440, p99_ns=1, mean_over_p50=1.5),
            row("paging/linux/fault/same_core/16", 1, p50_ns=16e3, p99_ns=32e3),
            row(footprint, 1, kernel_KiB=90, user_KiB=20),
        ])
        found = figures(page)
        self.assertEqual(found["target/host_call/generic/loop"], "12.0 ns")
        self.assertEqual(found[f"target/{calls}/verdict"], "missed: 2.00×")
        self.assertEqual(found[f"target/{calls}/spread"], "1.50×")
        self.assertEqual(found[f"target/{calls}/spread/verdict"], "met")
        self.assertEqual(found["target/paging/linux/fault/same_core/16"], "1.00 µs")
        self.assertEqual(found["target/paging/linux/fault/same_core/16/p99"], "2.00 µs")
        self.assertEqual(found[f"target/{footprint}"], "110 KiB")
        self.assertEqual(found["targets/met"], "3 of 5 targets met.")

    def test_a_target_is_held_against_the_median_of_repetitions_and_processes(self):
        kill = "kill/linux/same_core"
        repetitions = [[row(kill, 1, repetition=i, p50_ns=ns) for i, ns in enumerate(times)]
                       for times in ((1e3, 20e3, 90e3), (1e3, 40e3, 90e3), (1e3, 30e3, 90e3))]
        found = figures(self.page_of_rows(*repetitions))
        self.assertEqual(found[f"target/{kill}"], "30.0 µs")
        self.assertEqual(found[f"target/{kill}/range"], "20.0…40.0 µs")
        self.assertEqual(found[f"target/{kill}/verdict"], "missed: 1.20×")

    def test_targets_stand_once_more_beside_hogs(self):
        worker, kill = "spawn/linux/worker/same_core", "kill/linux/running_noticed"
        calls = "handoff/linux/host_call/cross_core/hogs"
        page = self.page_of_rows([
            row(worker, 1, p50_ns=50e3, p99_ns=100e3), row(f"{worker}/hogs", 1, p50_ns=75e3, p99_ns=900e3),
            row(kill, 1, p50_ns=1, p99_ns=100e3), row(f"{kill}/hogs", 1, p50_ns=1, p99_ns=400e3),
            row("paging/linux/reset/image/16", 1, p50_ns=5e3), row("paging/linux/reset/image/16_hogs", 1, p50_ns=6e3),
            row("spawn/linux/engine", 1, p50_ns=500e3), row(calls, 1, p50_ns=1, mean_over_p50=2),
        ])
        found = figures(page)
        self.assertEqual(found[f"target/{worker}/hogs/alone"], "50.0 µs")
        self.assertEqual(found[f"target/{worker}/hogs"], "75.0 µs")
        self.assertEqual(found[f"target/{worker}/hogs/p99"], "900 µs")
        self.assertEqual(found[f"target/{worker}/hogs/ratio"], "1.50×")
        self.assertEqual(found[f"target/{worker}/verdict"], "met")
        self.assertEqual(found[f"target/{kill}/hogs"], "400 µs")
        self.assertEqual(found[f"target/{kill}/hogs/ratio"], "4.00×")
        self.assertEqual(found["target/paging/linux/reset/image/16/hogs/ratio"], "1.20×")
        self.assertNotIn("target/spawn/linux/engine/hogs", found)
        self.assertNotIn(f"target/{calls}/hogs", found)

    def test_what_a_charge_costs_is_the_difference_per_block(self):
        rows = [row("gas/generic/off/4", 1, ns_per_block=2.0), row("gas/generic/sync/4", 1, ns_per_block=2.75)]
        faster = [row("gas/generic/off/4", 1, ns_per_block=2.0), row("gas/generic/sync/4", 1, ns_per_block=1.75)]
        found = figures(self.page_of_rows(rows, faster, rows))
        self.assertEqual(found["charge/gas/generic/sync/4"], "+0.750 ns")
        self.assertEqual(found["charge/gas/generic/sync/4/range"], "−0.250…+0.750 ns")

    def test_small_inputs_have_a_mean_of_their_own(self):
        rows = run_rows(100, 120) + run_rows(1, 3, "sieve/quick") + [row("run/interpreter/gas_off/sieve/quick", 40)]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["mean/full/generic/gas_off"], "1.20×")
        self.assertEqual(found["mean/quick/generic/gas_off"], "3.00×")
        self.assertEqual(found["mean/quick/interpreter/gas_off"], "40.0×")

    def test_workloads_that_do_not_compute_are_in_no_mean(self):
        rows = run_rows(100, 120) + run_rows(1, 50, "noop") + run_rows(1, 50, "trap_loop")
        rows += run_rows(100, 240, mode="sync") + run_rows(1, 5000, "noop", mode="sync")
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["mean/full/generic/gas_off"], "1.20×")
        self.assertEqual(found["metering-mean/full/generic/sync"], "2.00×")
        self.assertEqual(found["slowdown/run/generic/gas_off/noop"], "50.0×")

    def test_compile_speed_is_the_counter(self):
        name = "compile/generic/sync_naive/1000"
        rows = [row(name, 1e9, ns_per_instruction=20.0, code_bytes_per_second=2e8),
                row(name, 1e9, repetition=1, ns_per_instruction=18.0, code_bytes_per_second=1.9e8)]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found[f"speed/{name}"], "200")
        self.assertEqual(found["per-instruction/compile/generic/sync_naive/1000"], "18.0 ns")

    def test_encoders_stand_beside_our_own(self):
        rows = [row(f"encoder/{who}/sequence", time, ns_per_instruction=time / 4096)
                for who, time in (("none", 4096), ("own", 8192), ("xbyak", 40960))]
        found = figures(self.page_of_rows(rows))
        self.assertEqual(found["per-instruction/encoder/own/sequence"], "2.00 ns")
        self.assertEqual(found["above/encoder/xbyak/sequence"], "+9.00 ns")
        self.assertEqual(found["against/own/encoder/xbyak/sequence"], "5.00×")

    def test_settings_are_not_part_of_a_name(self):
        rows = [row("run/native/a/iterations:8/real_time", 100), row("run/generic/sync/a/real_time", 170)]
        self.assertEqual(figures(self.page_of_rows(rows))["slowdown/run/generic/sync/a"], "1.70×")

    def test_one_process_has_no_spread_and_a_warning(self):
        page = self.page_of_rows(run_rows(100, 120))
        self.assertNotIn("slowdown/run/generic/gas_off/sieve/range", figures(page))
        self.assertIn("one process only", page)

    def test_a_busy_machine_is_a_warning(self):
        busy = [row(f"noop/native/{i}", 200, cpu_time=100) for i in range(3)]
        self.assertIn("the machine was busy: half of the benchmarks took 2.00 times", self.page_of_rows(busy))
        quiet = [row(f"noop/native/{i}", 100, cpu_time=99) for i in range(3)]
        self.assertNotIn("the machine was busy", self.page_of_rows(quiet))

    def test_a_benchmark_that_failed_once_has_no_number(self):
        broken = [row("run/native/sieve", 100), row("run/generic/gas_off/sieve", 0, error_occurred=True,
                                                    error_message="a wrong answer while timing")]
        page = self.page_of_rows(run_rows(100, 120), broken, status=1)
        self.assertIn("run/generic/gas_off/sieve failed and has no result: a wrong answer while timing", page)
        self.assertFalse([key for key in figures(page) if "run/generic/gas_off/sieve" in key])

    def test_a_benchmark_that_the_machine_cannot_do_is_no_failure(self):
        lacking = [row("run/native/sieve", 100), row("spawn/raw/pivot_root", 0, error_occurred=True,
                                                     error_message="unsupported: start a process")]
        page = self.page_of_rows(run_rows(100, 120), lacking, status=0)
        self.assertIn("spawn/raw/pivot_root was skipped: unsupported: start a process", page)
        self.assertNotIn("failed", page.split("</style>")[-1])

    def test_a_failure_outweighs_a_skip(self):
        def result(message):
            return [row("kill/raw/same_core", 0, error_occurred=True, error_message=message), row("noop/loop", 1)]

        page = self.page_of_rows(result("unsupported: needs two cores"), result("a wrong answer"), status=1)
        self.assertIn("kill/raw/same_core failed and has no result: a wrong answer", page)

    def test_repetitions_that_are_no_number_are_left_out_and_counted(self):
        times = (float("nan"), float("inf"), None, -1.0, 0.0, 100.0)
        rows = [row("noop/loop", time, repetition=i) for i, time in enumerate(times)]
        page = self.page_of_rows(rows)
        self.assertEqual(figures(page)["time/noop/loop"], "100 ns")
        self.assertIn("noop/loop: 5 repetitions without a usable time left out", page)

    def test_a_benchmark_without_any_number_is_listed(self):
        page = self.page_of_rows([row("noop/loop", float("nan")), row("gas/x/y", 1.0)])
        self.assertIn("no usable time", page)

    def test_the_noise_ledger_sums_up_each_process(self):
        rows = [row("noop/loop", 1.0, repetition=i, noise_run_delay_us=delay) for i, delay in enumerate((100, 150))]
        self.assertEqual(figures(self.page_of_rows(rows))["noise/noise_run_delay_us/0"], "250")


if __name__ == "__main__":
    unittest.main()
