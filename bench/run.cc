// Question: how fast does a guest run, compared with the same algorithm in C++?
// Unit:     time of one call of the workload; the ratio to run/native/<workload> is what carries over to
//           other machines. ns_per_instruction counts guest instructions.
//           The label is the kind of workload (workloads/workloads.h).
// Timed:    from the first to the last guest instruction, with the host calls and traps in between that
//           belong to the workload. native: the twin, called directly; native_fast: the twin that may use all
//           that this machine has, for programs in C and C++. /quick: the small size, which the
//           interpreter can finish; the others run the full one.
// Not timed: making module and sandbox, writing the input, zeroing the memory of the twin. touch_pages gets
//           fresh memory for every call, which is not timed either: its first touch is.
#include <fmt/format.h>

#include <algorithm>

#include "bench/families.h"
#include "bench/guests.h"
#include "sandbox/base/mapping.h"
#include "sandbox/pool/worker_pool.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

struct Variant {
  std::string_view name;
  Backend backend;
  GasMetering gas;
  bool is_quick;
};
constexpr Variant kVariants[] = {
    {"gas_off", Backend::kGeneric, GasMetering::kNone, false},
    {"async", Backend::kGeneric, GasMetering::kAsync, false},
    {"sync", Backend::kGeneric, GasMetering::kSync, false},
    {"gas_off", Backend::kGeneric, GasMetering::kNone, true},
    {"sync", Backend::kGeneric, GasMetering::kSync, true},
    {"gas_off", Backend::kLinux, GasMetering::kNone, false},
    {"sync", Backend::kLinux, GasMetering::kSync, false},
    {"gas_off", Backend::kInterpreter, GasMetering::kNone, true},
    {"sync", Backend::kInterpreter, GasMetering::kSync, true},
};

// What both sides say about their work.
void report_work(const Workload& workload, const WorkloadSize& size, benchmark::State& state) {
  state.SetLabel(name_of(workload.kind));
  if (size.instructions == 0) return;
  state.counters["instructions"] = static_cast<double>(size.instructions);
  state.counters["ns_per_instruction"] = ns_per(static_cast<double>(size.instructions));
}

class GuestRun {
 public:
  static Result<std::unique_ptr<GuestRun>> create(const Workload& workload, const Variant& variant) {
    SG_TRY(need(variant.backend));
    const auto program = SG_TRY(load(workload));
    auto module = SG_TRY(Module::create(program, {.backend = variant.backend, .gas = variant.gas}));
    std::unique_ptr<GuestRun> run(
        new GuestRun(workload, variant.is_quick ? workload.quick : workload.full, std::move(module)));
    // A worker that is used again has the pages of its last guest still.
    if (variant.backend == Backend::kLinux && workload.needs_fresh_memory) {
      run->options_.workers = SG_TRY(WorkerPool::create({.max_idle = 0}));
    }
    SG_TRY(run->renew());
    return run;
  }

  bool run(Nanoseconds& spent) {
    if (workload_.needs_fresh_memory && !renew()) return false;
    sandbox_->set_gas(kPlentyOfGas);
    if (!prepare(*sandbox_, workload_, size_)) return false;
    const Clock::time_point begin = Clock::now();
    const Result<Outcome> outcome = finish(*sandbox_, workload_);
    spent = Clock::now() - begin;
    return outcome && *outcome == expected_outcome(size_);
  }
  void report(benchmark::State& state) const { report_work(workload_, size_, state); }

 private:
  GuestRun(const Workload& workload, const WorkloadSize& size, std::shared_ptr<const Module> module)
      : workload_(workload), size_(size), module_(std::move(module)) {}

  Status renew() {
    sandbox_ = nullptr;  // the old one first: its memory may be large
    sandbox_ = SG_TRY(Sandbox::create(module_, options_));
    return {};
  }

  const Workload& workload_;
  const WorkloadSize& size_;
  std::shared_ptr<const Module> module_;
  SandboxOptions options_;
  std::unique_ptr<Sandbox> sandbox_;
};

class TwinRun {
 public:
  static Result<std::unique_ptr<TwinRun>> create(const Workload& workload, Twin twin,
                                                 const WorkloadSize& size) {
    std::unique_ptr<TwinRun> run(new TwinRun(workload, twin, size));
    SG_TRY(run->renew());
    return run;
  }

  bool run(Nanoseconds& spent) {
    if (workload_.needs_fresh_memory) {
      if (!renew()) return false;
    } else {
      std::fill_n(memory_.data(), workload_.memory_bytes, uint8_t{0});
    }
    if (workload_.input != nullptr) std::ranges::copy(workload_.input(size_), memory_.data());
    const Clock::time_point begin = Clock::now();
    const uint64_t result = twin_(size_.arguments[0], size_.arguments[1], memory_.data());
    spent = Clock::now() - begin;
    return result == size_.expected;
  }
  void report(benchmark::State& state) const { report_work(workload_, size_, state); }

 private:
  TwinRun(const Workload& workload, Twin twin, const WorkloadSize& size)
      : workload_(workload), twin_(twin), size_(size) {}

  Status renew() {
    if (workload_.memory_bytes == 0) return {};
    memory_ = Mapping();
    memory_ = SG_TRY(Mapping::anonymous(workload_.memory_bytes));
    return {};
  }

  const Workload& workload_;
  const Twin twin_;
  const WorkloadSize& size_;
  Mapping memory_;
};

void add_twin(Suite& suite, std::string_view side, const Workload& workload, Twin twin, bool is_quick) {
  if (twin == nullptr) return;
  suite.add(
      fmt::format("run/{}/{}{}", side, workload.name, is_quick ? "/quick" : ""),
      [&workload, twin, is_quick] {
        return TwinRun::create(workload, twin, is_quick ? workload.quick : workload.full);
      },
      benchmark::kMicrosecond);
}

void add_workload(Suite& suite, const Workload& workload) {
  add_twin(suite, "native", workload, workload.twin, false);
  add_twin(suite, "native", workload, workload.twin, true);
  add_twin(suite, "native_fast", workload, workload.fast_twin, false);
  for (const Variant& variant : kVariants) {
    suite.add(
        fmt::format("run/{}/{}/{}{}", name_of(variant.backend), variant.name, workload.name,
                    variant.is_quick ? "/quick" : ""),
        [&] { return GuestRun::create(workload, variant); }, benchmark::kMicrosecond);
  }
}

}  // namespace

void add_run(Suite& suite) {
  for (const Workload& workload : workloads()) add_workload(suite, workload);
}

}  // namespace sandglass::bench
