// Module: a program made ready for one backend. Immutable, shared between threads and sandboxes.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "sandbox/gas/cost_model.h"
#include "sandbox/program/memory_map.h"
#include "sandbox/program/program.h"

namespace sandglass {

enum class Backend : uint8_t { kInterpreter, kGeneric, kLinux };
inline constexpr Backend kAllBackends[] = {Backend::kInterpreter, Backend::kGeneric, Backend::kLinux};
std::string_view name_of(Backend backend);  // "interpreter", "generic", "linux"
std::optional<Backend> backend_named(std::string_view name);

// How a worker process gets the memory of static mode. Linux backend only: the generic backend always maps RW
// data copy-on-write and everything else on first touch, the interpreter has plain memory of its own.
enum class MemoryStrategy : uint8_t {
  // Pages come with the first touch and stay. Host accesses are plain memory accesses. Loading copies the
  // initial RW data; a reset overwrites what has been touched.
  kLazy,
  // The same, but RW data and stack are there from the start: loading takes a fraction of a microsecond per
  // page longer, and a guest that touches them for the first time meets no faults.
  kEager,
  // Initial RW data is mapped copy-on-write from the module's image: loading does not copy it, and a worker
  // holds only the pages that were written to. Every write to a fresh page is a fault and a copy, again after
  // each reset, and host accesses to that data are system calls.
  kImage,
};

struct ModuleOptions {
  Backend backend = Backend::kGeneric;
  GasMetering gas = GasMetering::kSync;
  CostModel cost_model;
  // run() returns kStep before every instruction. Slow; for debuggers and tests.
  bool step_tracing = false;
  // Memory starts out empty; the host provides pages when kPageFault asks for them.
  bool dynamic_paging = false;
  uint32_t page_bytes = 4096;
  // Without dynamic paging.
  MemoryStrategy memory = MemoryStrategy::kLazy;
  // Size of the read-only region through which the host hands data to the guest.
  uint32_t aux_bytes = 0;
  // Refuse malformed imports, exports outside of the code or twice the same, and jump-table entries outside
  // of the code. Otherwise such things only matter when they are used.
  bool strict = false;
  // Machine code larger than this, or than 2 GiB, is refused with kExhausted. A hostile program can make up
  // to about 60 bytes of machine code out of one byte.
  size_t max_native_bytes = size_t{512} << 20;
#ifdef SANDGLASS_RED_TEAM
  // Linux backend: what a worker runs instead of the guest when it is entered at pc 0, from the first byte
  // on; the rest of the module is as compiled. It starts at a page behind the compiled code, runs with a
  // guest's registers and on a guest's stack, and may do whatever the process can. Must outlive the module.
  std::span<const uint8_t> red_team_code;
#endif
};

class ModuleImage;
class NativeCode;

class Module {
 public:
  // Checks the options and the program (JamV1 code must be valid throughout), lays out the memory and
  // compiles. The compiler runs in O(size of the program); compile/ in the suite says what an instruction
  // costs.
  static Result<std::shared_ptr<const Module>> create(std::shared_ptr<const Program> program,
                                                      const ModuleOptions& options = {});
  ~Module();

  const Program& program() const { return *program_; }
  const ModuleOptions& options() const { return options_; }
  const MemoryMap& memory_map() const { return memory_map_; }
  // Null for the interpreter.
  const NativeCode* native_code() const { return native_code_.get(); }
  // The file that sandboxes map their initial memory and their jump table from; made when it is asked for
  // first, and kept open (one descriptor) as long as the module lives. Compiled modules only. Safe from any
  // thread.
  Result<const ModuleImage*> image() const;
  // Cost of the block that starts at pc; nothing when pc is no jump target and not beyond the end of the
  // code.
  std::optional<uint32_t> gas_cost(uint32_t pc) const;

 private:
  Module();

  std::shared_ptr<const Program> program_;
  ModuleOptions options_;
  MemoryMap memory_map_;
  std::unique_ptr<NativeCode> native_code_;
  mutable std::mutex image_mutex_;
  mutable std::unique_ptr<ModuleImage> image_;
};

}  // namespace sandglass
