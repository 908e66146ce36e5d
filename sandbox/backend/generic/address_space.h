// AddressSpace: the range of host addresses one guest lives in, and the cache of idle ones.
//
//   guard │ stack, 64 KiB │ jump-table window, 32 GiB │ guard │ context, 4 KiB │ guest memory, 4 GiB │ guard
//                         ^ rsp                                                ^ gs
//
// Everything is reserved without access; the parts a guest may touch are opened. The stack is the guest's
// own, so a signal that arrives on it lands in harmless memory. The window has a slot for every 32-bit code
// address, but memory only for the jump table and for the return-to-host address: jumps elsewhere fault.
//
// Opening one for a module costs a handful of system calls; taking an idle one of the same module costs none,
// whatever the sizes of code and memory. Idle ones are clean: nothing of the previous guest is left in them.
#pragma once

#include <memory>

#include "sandbox/abi/vm_context.h"
#include "sandbox/base/mapping.h"
#include "sandbox/compiler/module_image.h"
#include "sandbox/memory/access_map.h"

namespace sandglass {

class AddressSpace {
 public:
  // An idle one of this image, else another idle one or a new one, prepared for it.
  static Result<std::unique_ptr<AddressSpace>> acquire(const Module& module, const ModuleImage& image);
  // Cleans and keeps it for later, or frees it. `access` is the state the guest left.
  static void release(std::unique_ptr<AddressSpace> space, const AccessMap& access);

  VmContext* context() const { return reinterpret_cast<VmContext*>(memory() - kMinPageBytes); }
  uint8_t* memory() const { return reservation_.data() + kMemoryOffset; }
  uint8_t* stack_top() const { return reservation_.data() + kWindowOffset; }

  // Guest memory back to its initial state: contents and protections.
  Status reset(const AccessMap& access);
  // mprotect(2) on guest pages; without protection nobody can access them.
  Status protect(const GuestRange& range, std::optional<Protection> protection);
  // Forgets contents: pages read as their initial data, or zero, again.
  Status discard(const GuestRange& range);

 private:
  static constexpr uint64_t kStackBytes = KiB(64);
  static constexpr uint64_t kWindowBytes = GiB(32);
  static constexpr uint64_t kGuardBytes = KiB(64);
  static constexpr uint64_t kWindowOffset = kGuardBytes + kStackBytes;
  static constexpr uint64_t kMemoryOffset = kWindowOffset + kWindowBytes + kGuardBytes + kMinPageBytes;
  static constexpr uint64_t kTotalBytes = kMemoryOffset + kGuestSpaceBytes + kGuardBytes;

  static Result<std::unique_ptr<AddressSpace>> create();
  Status prepare(const Module& module, const ModuleImage& image);
  Status close(uint8_t* begin, uint64_t size_bytes);
  Status map_part(uint8_t* at, const ModuleImage& image, const ModuleImage::Part& part, int protection);

  Mapping reservation_;
  uint64_t image_id_ = 0;  // 0: prepared for none
  MemoryMap memory_map_;
  bool dynamic_paging_ = false;

  friend class AddressSpaceCache;
};

}  // namespace sandglass
