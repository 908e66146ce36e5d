#include "bench/guests.h"

#include "bench/child.h"
#include "bench/program_generator.h"
#include "sandbox/backend/linux/worker_source.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

// Three bytes per instruction, near enough.
constexpr size_t kInstructionsPerMebibyte = 333'000;

}  // namespace

Status need(Backend backend) {
  if (backend != Backend::kLinux) return {};
  const auto source = default_worker_source();
  return source ? Status() : unsupported_if_refused(source.error());
}

Result<std::shared_ptr<const Program>> program_with_much_code(uint64_t seed) {
  return Program::from_parts(generate_program({.seed = seed, .instructions = kInstructionsPerMebibyte}));
}

Result<std::unique_ptr<Sandbox>> sandbox_of(std::string_view assembly, const ModuleOptions& options) {
  SG_TRY(need(options.backend));
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
