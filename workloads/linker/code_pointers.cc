#include "workloads/linker/code_pointers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sandglass::linker {
namespace {

bool is_difference(uint32_t type) {
  return (type >= kRelocAdd8 && type <= kRelocSub64) || (type >= kRelocSub6 && type <= kRelocSet32) ||
         type == kRelocSetUleb128 || type == kRelocSubUleb128;
}

class Finder {
 public:
  Finder(const Layout& layout, Problems& problems) : layout_(layout), problems_(problems) {}

  std::vector<DataPointer> find(const std::vector<Relocation>& relocations) {
    for (size_t i = 0; i < relocations.size() && !problems_.full();) i += look_at(relocations, i);
    return std::move(pointers_);
  }

 private:
  bool is_code(const Relocation& relocation) const { return layout_.code_at(relocation.target) != nullptr; }

  void refused(const Relocation& relocation, std::string_view why) {
    problems_.add(fmt::format("{}: {} ({})", layout_.describe(relocation.address), why,
                              Relocations::describe(layout_, relocation)));
  }

  void add(const Relocation& relocation, uint8_t size_bytes, uint32_t minus) {
    if (!is_code(relocation)) return;
    pointers_.push_back({.address = relocation.address,
                         .target = static_cast<uint32_t>(relocation.target),
                         .minus = minus,
                         .size_bytes = size_bytes});
  }

  // Returns how many relocations it was.
  size_t look_at(const std::vector<Relocation>& all, size_t i) {
    const Relocation& first = all[i];
    switch (first.type) {
      case kReloc64: add(first, 8, 0); return 1;
      case kReloc32: add(first, 4, 0); return 1;
      case kReloc32Pcrel:
      case kRelocPlt32: add(first, 4, first.address); return 1;
      default: break;
    }
    if (first.type == kRelocAdd32 && i + 1 < all.size() && all[i + 1].type == kRelocSub32 &&
        all[i + 1].address == first.address && !is_code(all[i + 1])) {
      add(first, 4, static_cast<uint32_t>(all[i + 1].target));
      return 2;
    }
    if (is_thread_local_relocation(first.type)) {
      refused(first, "thread-local data, and guests have no thread pointer: compile with -femulated-tls");
    } else if (!is_difference(first.type)) {
      refused(first, "a relocation that means nothing in a guest's data: compile with -fPIE -mcmodel=medany");
    } else if (is_code(first)) {
      refused(first, "a distance between places in code, which guests cannot know");
    }
    return 1;
  }

  const Layout& layout_;
  Problems& problems_;
  std::vector<DataPointer> pointers_;
};

}  // namespace

std::vector<DataPointer> find_code_pointers(const Layout& layout, const Relocations& relocations,
                                            Problems& problems) {
  return Finder(layout, problems).find(relocations.in_data());
}

void add_roots(const Layout& layout, const std::vector<DataPointer>& pointers, std::vector<Root>& roots) {
  for (const DataPointer& pointer : pointers)
    roots.push_back({pointer.target, layout.describe(pointer.address)});
}

uint32_t code_pointer_to(const std::vector<uint32_t>& pointed, uint32_t address) {
  const auto at = std::lower_bound(pointed.begin(), pointed.end(), address);
  return code_pointer(static_cast<size_t>(at - pointed.begin()));
}

void patch_code_pointers(Layout& layout, const std::vector<DataPointer>& pointers,
                         const std::vector<uint32_t>& pointed) {
  for (const DataPointer& pointer : pointers) {
    DataRegion& region = pointer.address >= layout.read_write().begin && layout.read_write().size_bytes != 0
                             ? layout.read_write()
                             : layout.read_only();
    const uint64_t value = uint64_t{code_pointer_to(pointed, pointer.target)} - pointer.minus;
    const size_t at = pointer.address - region.begin;
    if (at + pointer.size_bytes <= region.bytes.size()) {
      std::memcpy(region.bytes.data() + at, &value, pointer.size_bytes);
    }
  }
}

}  // namespace sandglass::linker
