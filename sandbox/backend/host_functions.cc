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

Result<Interrupt> call(Sandbox& sandbox, const ImportTable& imports, const CallLimits& limits) {
  for (;;) {
    const Interrupt stop = SG_TRY(sandbox.run(limits.deadline.limits()));
    if (stop.kind != InterruptKind::kHostCall) return stop;
    const HostFunction* function = imports.find(stop.host_call);
    if (function == nullptr || (*function)(sandbox) == HostCallResult::kStop) return stop;
  }
}

}  // namespace sandglass
