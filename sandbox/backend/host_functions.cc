#include "sandbox/backend/host_functions.h"

#include <algorithm>

namespace sandglass {

Status HostFunctions::add(std::string_view name, HostFunction function) {
  if (!function)
    return Error::make(ErrorKind::kInvalidArgument, "a host function is empty", Error::kNowhere, name);
  if (!functions_.try_emplace(std::string(name), std::move(function)).second) {
    return Error::make(ErrorKind::kInvalidArgument, "two host functions of one name", Error::kNowhere, name);
  }
  return {};
}

Result<ImportTable> HostFunctions::resolve(const Program& program) const {
  ImportTable table;
  for (const std::optional<std::string>& import : program.parts().imports) {
    table.functions_.emplace_back();
    if (!import) continue;
    const auto found = functions_.find(*import);
    if (found == functions_.end()) {
      return Error::make(ErrorKind::kBadProgram,
                         "the program imports a function that its host does not provide", Error::kNowhere,
                         *import);
    }
    table.functions_.back() = found->second;
  }
  return table;
}

RunLimits RunDeadline::limits() const {
  if (!end_) return {};
  const std::chrono::nanoseconds left = *end_ - Clock::now();
  return {.deadline = std::max(left, std::chrono::nanoseconds(1))};
}

namespace {

Result<Interrupt> run_within(Sandbox& sandbox, const CallLimits& limits) {
  RunLimits here = limits.deadline.limits();
  if (limits.cpu_budget == nullptr) return sandbox.run(here);
  here.cpu_time = limits.cpu_budget->limit();
  const std::chrono::nanoseconds begin = sandbox.cpu_time();
  Result<Interrupt> stop = sandbox.run(here);
  // A worker that has died takes its clock with it.
  limits.cpu_budget->spend(std::max(sandbox.cpu_time() - begin, std::chrono::nanoseconds(0)));
  return stop;
}

}  // namespace

Result<Interrupt> call(Sandbox& sandbox, const ImportTable& imports, const CallLimits& limits) {
  for (;;) {
    const Interrupt stop = SG_TRY(run_within(sandbox, limits));
    if (stop.kind != InterruptKind::kHostCall) return stop;
    const HostFunction* function = imports.find(stop.host_call);
    if (function == nullptr || (*function)(sandbox) == HostCallResult::kStop) return stop;
  }
}

}  // namespace sandglass
