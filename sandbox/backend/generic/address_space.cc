#include "sandbox/backend/generic/address_space.h"

#include <sys/mman.h>

#include <mutex>
#include <vector>

namespace sandglass {

// Idle address spaces, clean and prepared for the image they were used with last.
class AddressSpaceCache {
 public:
  static AddressSpaceCache& instance() {
    // Never destroyed: sandboxes may outlive the statics of the program.
    static AddressSpaceCache* const cache = new AddressSpaceCache;
    return *cache;
  }

  std::unique_ptr<AddressSpace> take(uint64_t image_id) {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto chosen = idle_.end() - 1;
    for (auto it = idle_.begin(); it != idle_.end(); ++it) {
      if ((*it)->image_id_ == image_id) chosen = it;
    }
    // Without a match the oldest one goes.
    if ((*chosen)->image_id_ != image_id) chosen = idle_.begin();
    std::unique_ptr<AddressSpace> space = std::move(*chosen);
    idle_.erase(chosen);
    return space;
  }

  // Frees the oldest one when there are too many.
  void put(std::unique_ptr<AddressSpace> space) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(space));
    if (idle_.size() > kMaxIdle) idle_.erase(idle_.begin());
  }

 private:
  // What one keeps: 36 GiB of address space and the page tables of what was touched.
  static constexpr size_t kMaxIdle = 16;

  std::mutex mutex_;
  std::vector<std::unique_ptr<AddressSpace>> idle_;  // oldest first
};

Result<std::unique_ptr<AddressSpace>> AddressSpace::create() {
  std::unique_ptr<AddressSpace> space(new AddressSpace);
  space->reservation_ = SG_TRY(Mapping::reserve(kTotalBytes));
  const auto open = [](uint8_t* begin, uint64_t size_bytes) {
    return ::mprotect(begin, size_bytes, PROT_READ | PROT_WRITE) == 0;
  };
  if (!open(space->stack_top() - kStackBytes, kStackBytes) ||
      !open(reinterpret_cast<uint8_t*>(space->context()), kMinPageBytes)) {
    return Error::os("open the context and the stack of a guest");
  }
  return space;
}

Result<std::unique_ptr<AddressSpace>> AddressSpace::acquire(const Module& module, const ModuleImage& image) {
  std::unique_ptr<AddressSpace> space = AddressSpaceCache::instance().take(image.id());
  if (space == nullptr) space = SG_TRY(create());
  if (space->image_id_ != image.id()) SG_TRY(space->prepare(module, image));
  return space;
}

void AddressSpace::release(std::unique_ptr<AddressSpace> space, const AccessMap& access) {
  // One that cannot be cleaned is not used again.
  if (space->reset(access)) AddressSpaceCache::instance().put(std::move(space));
}

Status AddressSpace::close(uint8_t* begin, uint64_t size_bytes) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  if (::mmap(begin, size_bytes, PROT_NONE, flags, -1, 0) == MAP_FAILED)
    return Error::os("close guest memory");
  return {};
}

Status AddressSpace::map_part(uint8_t* at, const ModuleImage& image, const ModuleImage::Part& part,
                              int protection) {
  if (part.size_bytes == 0) return {};
  void* mapped = ::mmap(at, part.size_bytes, protection, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, image.fd(),
                        static_cast<off_t>(part.file_offset));
  if (mapped == MAP_FAILED) return Error::os("map a module's image");
  return {};
}

Status AddressSpace::prepare(const Module& module, const ModuleImage& image) {
  if (image_id_ != 0) {
    image_id_ = 0;
    SG_TRY(close(stack_top(), kWindowBytes));
    SG_TRY(close(memory(), kGuestSpaceBytes));
  }
  memory_map_ = module.memory_map();
  dynamic_paging_ = module.options().dynamic_paging;
  SG_TRY(map_part(stack_top(), image, image.jump_table(), PROT_READ));
  SG_TRY(map_part(stack_top() + uint64_t{kReturnToHost} * 8, image, image.return_page(), PROT_READ));
  if (!dynamic_paging_) {
    SG_TRY(map_part(memory() + memory_map_.ro_data().begin, image, image.ro_data(), PROT_READ));
    SG_TRY(map_part(memory() + memory_map_.rw_data().begin, image, image.rw_data(), PROT_READ | PROT_WRITE));
    SG_TRY(protect(memory_map_.ro_data(), Protection::kRead));
    SG_TRY(protect(memory_map_.rw_data(), Protection::kReadWrite));
    SG_TRY(protect(memory_map_.stack(), Protection::kReadWrite));
    SG_TRY(protect(memory_map_.aux(), Protection::kRead));
  }
  image_id_ = image.id();
  return {};
}

Status AddressSpace::reset(const AccessMap& access) {
  if (dynamic_paging_) {
    const GuestRange everything = {0, kGuestSpaceBytes};
    SG_TRY(discard(everything));
    return protect(everything, std::nullopt);
  }
  SG_TRY(discard(access.data_and_heap()));
  SG_TRY(discard(memory_map_.stack()));
  SG_TRY(discard(memory_map_.aux()));
  const GuestRange heap = {memory_map_.rw_data().end, access.data_and_heap().end};
  if (!heap.empty()) SG_TRY(protect(heap, std::nullopt));
  if (access.accessible_aux_bytes() != memory_map_.aux().size()) {
    SG_TRY(protect(memory_map_.aux(), Protection::kRead));
  }
  return {};
}

Status AddressSpace::protect(const GuestRange& range, std::optional<Protection> protection) {
  if (range.empty()) return {};
  const int flags = !protection                        ? PROT_NONE
                    : *protection == Protection::kRead ? PROT_READ
                                                       : PROT_READ | PROT_WRITE;
  if (::mprotect(memory() + range.begin, range.size(), flags) != 0) return Error::os("protect guest memory");
  return {};
}

Status AddressSpace::discard(const GuestRange& range) {
  if (range.empty()) return {};
  if (::madvise(memory() + range.begin, range.size(), MADV_DONTNEED) != 0) {
    return Error::os("discard guest memory");
  }
  return {};
}

}  // namespace sandglass
