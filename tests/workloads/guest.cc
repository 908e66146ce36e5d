#include "tests/workloads/guest.h"

namespace sandglass {

std::string name_of(GasMetering gas) {
  switch (gas) {
    case GasMetering::kNone: return "unmetered";
    case GasMetering::kSync: return "sync";
    case GasMetering::kAsync: return "async";
  }
  return "unknown";
}

Result<std::unique_ptr<Sandbox>> make_guest(const std::shared_ptr<const Program>& program, Backend backend,
                                            GasMetering gas) {
  return Sandbox::create(SG_TRY(Module::create(program, {.backend = backend, .gas = gas})));
}

Result<std::unique_ptr<Sandbox>> make_guest(std::string_view assembly, Backend backend, GasMetering gas) {
  return make_guest(SG_TRY(load(assembly)), backend, gas);
}

Result<std::vector<uint8_t>> read_guest(const Sandbox& sandbox, uint32_t address, size_t size_bytes) {
  std::vector<uint8_t> bytes(size_bytes);
  SG_TRY(sandbox.read(address, bytes));
  return bytes;
}

}  // namespace sandglass
