// Host functions: what a guest may ask of its host, by name.
//
//   HostFunctions functions;
//   SG_TRY(functions.add("get_time", [](Sandbox& guest) {
//     guest.set_reg(Reg::a0, now());
//     return HostCallResult::kContinue;
//   }));
//   ImportTable imports = SG_TRY(functions.resolve(program));      // refuses what nobody provides, by name
//   SG_TRY(sandbox->prepare_call("main"));
//   Interrupt end = SG_TRY(call(*sandbox, imports, {.deadline = RunDeadline::after(1s)}));
//
// A guest gets exactly the functions that were added; there are no defaults. Arguments and results are in
// registers (kArgumentRegs; a0), and they are the guest's: check every address and length.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/backend/sandbox.h"

namespace sandglass {

enum class HostCallResult : uint8_t {
  kContinue,  // served: the guest goes on
  kStop,      // refused: call() returns the host call as it stands
};

// Called on the thread that runs the guest, while the guest is stopped behind its ecalli.
using HostFunction = std::function<HostCallResult(Sandbox&)>;

// The functions of one program's import table, in its order. Immutable; may serve any number of sandboxes
// as far as the functions themselves can.
class ImportTable {
 public:
  // Null for a number that is not in the table or an entry that names nothing.
  const HostFunction* find(uint32_t number) const {
    return number < functions_.size() && functions_[number] ? &functions_[number] : nullptr;
  }

 private:
  friend class HostFunctions;
  std::vector<HostFunction> functions_;
};

class HostFunctions {
 public:
  // Fails with kInvalidArgument when there is one of that name.
  Status add(std::string_view name, HostFunction function);
  // Fails with kBadProgram when the program imports a name that was not added; `detail` is the name. Entries
  // that name nothing are accepted: calling them is what fails.
  Result<ImportTable> resolve(const Program& program) const;

 private:
  std::map<std::string, HostFunction, std::less<>> functions_;
};

// A point in time after which a guest is stopped. Bounds a whole call, host functions included, whereas the
// deadline of RunLimits bounds one run().
class RunDeadline {
 public:
  using Clock = std::chrono::steady_clock;

  static RunDeadline never() { return {}; }
  static RunDeadline after(std::chrono::nanoseconds duration) { return RunDeadline(Clock::now() + duration); }

  // What remains, as limits for one run(). Once the time is over, a run that stops at once.
  RunLimits limits() const;

 private:
  RunDeadline() = default;
  explicit RunDeadline(Clock::time_point end) : end_(end) {}
  std::optional<Clock::time_point> end_;
};

// CPU time that calls may use: what the guest's runs use, host functions not included, is taken from it. It
// may bound one call or many, of one sandbox or many; of one thread at a time.
class CpuBudget {
 public:
  explicit CpuBudget(std::chrono::nanoseconds size) : left_(size) {}

  bool is_spent() const { return left_.count() <= 0; }
  // What remains, as a limit for one run(); once nothing does, one that stops the run at once.
  std::chrono::nanoseconds limit() const { return std::max(left_, std::chrono::nanoseconds(1)); }
  void spend(std::chrono::nanoseconds used) { left_ -= used; }

 private:
  std::chrono::nanoseconds left_;
};

struct CallLimits {
  RunDeadline deadline = RunDeadline::never();
  // None: no limit. Costs reading the CPU clock of the guest's thread or worker twice per run.
  CpuBudget* cpu_budget = nullptr;
};

// Runs the guest from where it stands and serves its host calls until it stops for another reason. Returns
// kHostCall for a call that nobody serves or that its function refused. What can go on after run() can go on
// after call(), too: a guest out of gas, a step.
Result<Interrupt> call(Sandbox& sandbox, const ImportTable& imports, const CallLimits& limits = {});

}  // namespace sandglass
