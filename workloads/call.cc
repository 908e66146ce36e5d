// Running a workload: as a guest, and as its twin.
#include "sandbox/program/assembler.h"
#include "workloads/workloads.h"

namespace sandglass {
namespace {

Error wrong_stop(const Interrupt& stop) {
  return Error::make(ErrorKind::kViolation, "the workload stopped for a reason that is not part of it",
                     Error::kNowhere, name_of(stop.kind));
}

bool is_own_host_call(const Workload& workload, const Interrupt& stop) {
  return stop.kind == InterruptKind::kHostCall && workload.host_call == stop.host_call;
}

bool is_own_trap(const Workload& workload, const Interrupt& stop) {
  return stop.kind == InterruptKind::kTrap && stop.trap == TrapKind::kInstruction &&
         !workload.resume_at.empty();
}

}  // namespace

Result<std::shared_ptr<const Program>> load(std::string_view assembly) {
  return Program::from_parts(SG_TRY(assemble(assembly)));
}

Result<std::shared_ptr<const Program>> load(const Workload& workload) {
  if (workload.container.empty()) return load(workload.assembly);
  return Program::parse(workload.container);
}

Status prepare(Sandbox& sandbox, const Workload& workload, const WorkloadSize& size) {
  if (workload.input) SG_TRY(sandbox.write(workload.memory_base, workload.input(size)));
  return sandbox.prepare_call(workload.entry, size.arguments);
}

Result<Outcome> finish(Sandbox& sandbox, const Workload& workload) {
  uint32_t resume_pc = 0;
  if (!workload.resume_at.empty()) {
    const auto pc = sandbox.module().program().find_export(workload.resume_at);
    if (!pc)
      return Error::make(ErrorKind::kBadProgram, "no such export", Error::kNowhere, workload.resume_at);
    resume_pc = *pc;
  }
  for (Outcome outcome;; ++outcome.stops) {
    const Interrupt stop = SG_TRY(sandbox.run());
    if (stop.kind == InterruptKind::kFinished) {
      outcome.result = sandbox.reg(Reg::a0);
      return outcome;
    }
    if (is_own_host_call(workload, stop)) continue;
    if (!is_own_trap(workload, stop)) return wrong_stop(stop);
    sandbox.set_next_program_counter(resume_pc);
  }
}

uint64_t run_twin(const Workload& workload, const WorkloadSize& size) {
  std::vector<uint8_t> memory;
  if (workload.input) memory = workload.input(size);
  memory.resize(workload.memory_bytes);
  return workload.twin(size.arguments[0], size.arguments[1], memory.data());
}

}  // namespace sandglass
