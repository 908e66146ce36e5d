// ModuleImage: what all sandboxes of a module share, as one anonymous file they map from.
//
//   jump table │ page with the return-to-host entry │ RO data │ RW data │ code      each part starts on a
//   page
//
// The code is part of it only for worker processes, which map it at an address of their own; in-process it
// runs where it has been compiled. The file is sealed: whoever maps it, nobody can change it any more.
//
// The jump table has a slot of 8 bytes per guest code address: odd ones, address 0 and invalid targets hold
// an address that no jump accepts, so that the jump faults where it stands. RW data is mapped copy-on-write:
// a fresh copy costs nothing until it is written to.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sandbox/base/mapping.h"
#include "sandbox/compiler/module.h"

namespace sandglass {

class ModuleImage {
 public:
  // In slots that lead nowhere. Not canonical, so a jump through it raises a general protection fault at the
  // jump (Intel SDM volume 2, JMP).
  static constexpr uint64_t kNoTarget = 0x8000'dead'dead'dead;

  struct Part {
    uint64_t file_offset = 0;
    uint64_t size_bytes = 0;  // whole pages
  };

  static Result<std::unique_ptr<ModuleImage>> create(const Module& module);

  // Distinguishes images for as long as the process lives.
  uint64_t id() const { return id_; }
  int fd() const { return file_.get(); }
  Part jump_table() const { return jump_table_; }
  // For workers: what the host copies of the jump table, its first pages, and the return-to-host entry.
  std::span<const uint64_t> first_slots() const { return first_slots_; }
  uint64_t return_slot() const { return return_slot_; }
  Part return_page() const { return return_page_; }
  Part ro_data() const { return ro_data_; }
  Part rw_data() const { return rw_data_; }
  Part code() const { return code_; }

 private:
  ModuleImage() = default;

  uint64_t id_ = 0;
  UniqueFd file_;
  Part jump_table_, return_page_, ro_data_, rw_data_, code_;
  std::vector<uint64_t> first_slots_;
  uint64_t return_slot_ = 0;
};

#ifdef SANDGLASS_RED_TEAM
// Where ModuleOptions::red_team_code lies, from the start of the module's code on.
uint64_t red_team_offset(const NativeCode& code);
#endif

}  // namespace sandglass
