#include "bench/guests.h"

#include "workloads/workloads.h"

namespace sandglass::bench {

Result<std::unique_ptr<Sandbox>> sandbox_of(std::string_view assembly, const ModuleOptions& options) {
  const std::shared_ptr<const Program> program = SG_TRY(load(assembly));
  const std::shared_ptr<const Module> module = SG_TRY(Module::create(program, options));
  return Sandbox::create(module, {.gas = kPlentyOfGas});
}

bool call(Sandbox& sandbox, uint32_t pc) {
  if (!sandbox.prepare_call(pc)) return false;
  const Result<Interrupt> stop = sandbox.run();
  return stop && stop->kind == InterruptKind::kFinished;
}

Result<uint32_t> export_of(const Program& program, std::string_view name) {
  const std::optional<uint32_t> pc = program.find_export(name);
  if (!pc) return Error::make(ErrorKind::kInvalidArgument, "no such export", Error::kNowhere, name);
  return *pc;
}

}  // namespace sandglass::bench
