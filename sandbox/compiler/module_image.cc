#include "sandbox/compiler/module_image.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "sandbox/abi/address_space.h"
#include "sandbox/base/units.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass {
namespace {

constexpr uint64_t kNoTarget = ModuleImage::kNoTarget;

std::vector<uint64_t> make_jump_table(const NativeCode& code, uint64_t code_address) {
  const std::vector<uint32_t>& targets = code.tables().jump_table;
  // Entry k is guest code address 2 * (k + 1).
  std::vector<uint64_t> slots(round_up(2 * (targets.size() + 1), kMinPageBytes / sizeof(uint64_t)),
                              kNoTarget);
  for (size_t k = 0; k < targets.size(); ++k) {
    if (targets[k] != 0) slots[2 * (k + 1)] = code_address + targets[k];
  }
  return slots;
}

Status write_at(int fd, uint64_t offset, const void* data, size_t size_bytes) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size_bytes > 0) {
    const ssize_t written = ::pwrite(fd, bytes, size_bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Error::os("write a module's image");
    bytes += written;
    offset += static_cast<uint64_t>(written);
    size_bytes -= static_cast<size_t>(written);
  }
  return {};
}

#ifdef SANDGLASS_RED_TEAM
// Puts the code of a test behind the module's and, where the guest would start, a jump to it.
Status write_red_team_code(int fd, const Module& module, const ModuleImage::Part& part) {
  const std::span<const uint8_t> intruder = module.options().red_team_code;
  if (intruder.empty()) return {};
  const uint64_t begin = red_team_offset(*module.native_code());
  const uint64_t entry = module.native_code()->entry_of(0);
  constexpr uint64_t kJumpBytes = 5;
  const auto distance = static_cast<uint32_t>(begin - entry - kJumpBytes);
  uint8_t jump[kJumpBytes] = {0xe9};
  std::memcpy(jump + 1, &distance, sizeof distance);
  SG_TRY(write_at(fd, part.file_offset + begin, intruder.data(), intruder.size()));
  return write_at(fd, part.file_offset + entry, jump, sizeof jump);
}
#endif

}  // namespace

#ifdef SANDGLASS_RED_TEAM
uint64_t red_team_offset(const NativeCode& code) { return round_up(code.size_bytes(), kMinPageBytes); }
#endif

Result<std::unique_ptr<ModuleImage>> ModuleImage::create(const Module& module) {
  static std::atomic<uint64_t> next_id{1};
  const NativeCode& code = *module.native_code();
  const ProgramParts& parts = module.program().parts();
  const bool is_for_workers = module.options().backend == Backend::kLinux;
  const uint64_t code_address =
      is_for_workers ? worker_space::kCode : reinterpret_cast<uint64_t>(code.code());
  const std::vector<uint64_t> slots = make_jump_table(code, code_address);
  std::vector<uint64_t> return_slots(kMinPageBytes / sizeof(uint64_t), kNoTarget);
  return_slots[0] = code_address + code.tables().trampolines.finished;

  std::unique_ptr<ModuleImage> image(new ModuleImage);
  image->return_slot_ = return_slots[0];
  if (is_for_workers) {
    constexpr size_t kCopied = worker_space::kHostTablePages * kMinPageBytes / sizeof(uint64_t);
    image->first_slots_.assign(slots.begin(),
                               slots.begin() + static_cast<ptrdiff_t>(std::min(slots.size(), kCopied)));
  }
  image->id_ = next_id.fetch_add(1, std::memory_order_relaxed);
  uint64_t end = 0;
  const auto place = [&end](size_t size_bytes) {
    const Part part = {.file_offset = end, .size_bytes = round_up(size_bytes, kMinPageBytes)};
    end += part.size_bytes;
    return part;
  };
  image->jump_table_ = place(slots.size() * sizeof(uint64_t));
  image->return_page_ = place(kMinPageBytes);
  image->ro_data_ = place(parts.ro_data.size());
  image->rw_data_ = place(parts.rw_data.size());
#ifdef SANDGLASS_RED_TEAM
  image->code_ = place(is_for_workers ? red_team_offset(code) + module.options().red_team_code.size() : 0);
#else
  image->code_ = place(is_for_workers ? code.size_bytes() : 0);
#endif
  image->file_ = SG_TRY(create_memfd("sandglass-module", end));
  const int fd = image->fd();
  SG_TRY(write_at(fd, image->jump_table_.file_offset, slots.data(), image->jump_table_.size_bytes));
  SG_TRY(write_at(fd, image->return_page_.file_offset, return_slots.data(), kMinPageBytes));
  SG_TRY(write_at(fd, image->ro_data_.file_offset, parts.ro_data.data(), parts.ro_data.size()));
  SG_TRY(write_at(fd, image->rw_data_.file_offset, parts.rw_data.data(), parts.rw_data.size()));
  if (is_for_workers) SG_TRY(write_at(fd, image->code_.file_offset, code.code(), code.size_bytes()));
#ifdef SANDGLASS_RED_TEAM
  if (is_for_workers) SG_TRY(write_red_team_code(fd, module, image->code_));
#endif
  SG_TRY(seal_memfd(image->file_, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  return image;
}

}  // namespace sandglass
