#include <cstdio>

#include "sandbox/sandglass.h"
using namespace sandglass;

constexpr const char* kGuest = R"(
pub @main:
    ecalli 7                  // ask the host; it answers in a0
    a0 = a0 * a1
    ret
pub @steal:
    a0 = u64 [0xdeadbe00]     // not its memory
    ret
)";

Status run_guest(const char* entry) {
  auto program = SG_TRY(Program::from_parts(SG_TRY(assemble(kGuest))));
  auto sandbox = SG_TRY(Sandbox::create(SG_TRY(Module::create(program))));
  SG_TRY(sandbox->prepare_call(entry, {20, 2}));
  Interrupt stop = SG_TRY(sandbox->run());
  while (stop.kind == InterruptKind::kHostCall) {
    std::printf("host call %u\n", stop.host_call);
    sandbox->set_reg(Reg::a0, sandbox->reg(Reg::a0) + 1);
    stop = SG_TRY(sandbox->run());
  }
  std::printf("%s: %s", entry, name_of(stop.kind));
  if (stop.kind == InterruptKind::kTrap) std::printf(", %s at %#x", name_of(stop.trap), stop.fault.address);
  std::printf(", a0 = %d\n", static_cast<int>(sandbox->reg(Reg::a0)));
  return {};
}

int main() {
  for (const char* entry : {"main", "steal"}) {
    if (Status status = run_guest(entry); !status) std::puts(to_string(status.error()).c_str());
  }
}
