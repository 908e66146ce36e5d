// Question: what does it cost when a guest stops against its will?
// Unit:     time from setting the pc to the stop, as the host sees it.
// Timed:    setting the pc (and the gas, where it is short) and Sandbox::run(). instruction: a trap
//           instruction; dynamic_jump: a jump to an address that is not in the jump table; memory: a store to
//           where nothing is; out_of_gas: a block that cannot be paid.
//           raw: what the kernel and the CPU want for the same, without a sandbox. sigsegv: a store to a
//           protected page; sigill: an undefined instruction. longjmp: the handler leaves without returning
//           to the kernel; sigreturn: it returns behind the instruction.
// Not timed: making the module and the sandbox, installing handlers.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/guests.h"
#include "bench/raw_signals.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

struct StopCase {
  std::string_view variant;
  std::string_view snippet;  // workloads/stops/
  GasMetering metering;
  int64_t gas;
};

constexpr StopCase kStops[] = {
    {"instruction", "trap", GasMetering::kNone, kPlentyOfGas},
    {"dynamic_jump", "bad_jump", GasMetering::kNone, kPlentyOfGas},
    {"memory", "segv_store", GasMetering::kNone, kPlentyOfGas},
    {"out_of_gas", "spin", GasMetering::kSync, 0},
};

class Stop {
 public:
  static Result<std::unique_ptr<Stop>> create(Backend backend, const StopCase& stop) {
    const StopSnippet* snippet = find_stop_snippet(stop.snippet);
    if (snippet == nullptr) {
      return Error::make(ErrorKind::kInvalidArgument, "no such snippet", Error::kNowhere, stop.snippet);
    }
    auto sandbox = SG_TRY(sandbox_of(snippet->assembly, {.backend = backend, .gas = stop.metering}));
    const uint32_t pc = SG_TRY(export_of(sandbox->module().program(), "main"));
    sandbox->set_reg(Reg::a0, snippet->argument);
    return std::unique_ptr<Stop>(new Stop(std::move(sandbox), *snippet, pc, stop.gas));
  }

  bool run() {
    sandbox_->set_gas(gas_);
    sandbox_->set_next_program_counter(pc_);
    const Result<Interrupt> stop = sandbox_->run();
    return stop && stop->kind == snippet_.kind &&
           (stop->kind != InterruptKind::kTrap || stop->trap == snippet_.trap);
  }
  bool is_consistent() const { return sandbox_->reg(Reg::a0) == snippet_.argument; }

 private:
  Stop(std::unique_ptr<Sandbox> sandbox, const StopSnippet& snippet, uint32_t pc, int64_t gas)
      : sandbox_(std::move(sandbox)), snippet_(snippet), pc_(pc), gas_(gas) {}

  std::unique_ptr<Sandbox> sandbox_;
  const StopSnippet& snippet_;
  uint32_t pc_;
  int64_t gas_;
};

}  // namespace

void add_trap(Suite& suite) {
  for (const Backend backend : kAllBackends) {
    for (const StopCase& stop : kStops) {
      suite.add(fmt::format("trap/{}/{}", name_of(backend), stop.variant),
                [backend, &stop] { return Stop::create(backend, stop); });
    }
  }
  for (const RawSignalCase& raw : raw_signal_cases()) {
    suite.add(fmt::format("trap/raw/{}", raw.name), [&raw] { return RawSignal::create(raw); });
  }
}

}  // namespace sandglass::bench
