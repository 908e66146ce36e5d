// How a module gets into a worker, and the memory of its guest; linux_run.cc is how it runs.
#include "sandbox/backend/linux/linux_sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sandbox/backend/linux/dynamic_pages.h"
#include "sandbox/backend/linux/guest_file.h"

namespace sandglass {
namespace {

using namespace worker_space;
using Kind = MemoryChange::Kind;

// Workers that die while a module is loaded into them, before their source is to blame.
constexpr int kMaxLoads = 3;

uint32_t protection_bits(std::optional<Protection> protection) {
  if (!protection) return PROT_NONE;
  return *protection == Protection::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
}

MemoryChange protection_of(const GuestRange& range, std::optional<Protection> protection) {
  return {.address = kGuestMemory + range.begin,
          .size_bytes = range.size(),
          .kind = Kind::kProtect,
          .protection = protection_bits(protection)};
}

static_assert(kReturnSlots == kJumpTable + uint64_t{kReturnToHost} * 8);

// From this much initial RW data on, finding the pages that were written to is cheaper than overwriting all.
constexpr size_t kMinTrackedBytes = KiB(256);

FaultUse fault_use_of(const Module& module) {
  const ModuleOptions& options = module.options();
  if (options.dynamic_paging) return FaultUse::kDynamicPaging;
  const bool tracks = options.memory != MemoryStrategy::kImage &&
                      module.program().parts().rw_data.size() >= kMinTrackedBytes && can_track_writes();
  return tracks ? FaultUse::kWriteTracking : FaultUse::kNone;
}

// The pages of a region that the image has; behind them there are zeroes.
GuestRange imaged_part(const GuestRange& region, const ModuleImage::Part& part) {
  return {region.begin, region.begin + std::min(part.size_bytes, region.size())};
}

// The regions of a module, in order.
class RegionList {
 public:
  void image(uint64_t address, const ModuleImage::Part& part, uint32_t protection) {
    add({.from = WorkerRegion::From::kImage,
         .begin = address,
         .end = address + part.size_bytes,
         .file_offset = part.file_offset,
         .protection = protection});
  }
  void guest(WorkerRegion::From from, const GuestRange& range, uint32_t protection) {
    add({.from = from,
         .begin = kGuestMemory + range.begin,
         .end = kGuestMemory + range.end,
         .protection = protection});
  }
  std::span<const WorkerRegion> all() const { return {regions_, count_}; }

 private:
  void add(const WorkerRegion& region) {
    if (region.begin == region.end) return;
    SG_CHECK(count_ < std::size(regions_));
    regions_[count_++] = region;
  }
  WorkerRegion regions_[WorkerMap::kMaxWanted];
  size_t count_ = 0;
};

// Up to this much of guest memory is zeroed for another module; more is taken away, so that modules do not
// inherit the needs of all that were there before.
constexpr uint64_t kMaxInheritedBytes = KiB(64);

// The pages of RW data that the worker has copy-on-write; see MemoryStrategy::kImage.
GuestRange own_copy_of(const Module& module, const ModuleImage& image) {
  if (module.options().dynamic_paging || module.options().memory != MemoryStrategy::kImage) return {};
  return imaged_part(module.memory_map().rw_data(), image.rw_data());
}

// Repeats `call`, a read or write behind the first `done` bytes, until all bytes have been transferred.
template <typename Call>
Status transfer(uint64_t size_bytes, const char* what, const Worker& worker, Call call) {
  for (uint64_t done = 0; done < size_bytes;) {
    const ssize_t moved = call(done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return Error::os(what);
    // The address space is gone.
    if (moved == 0) return worker.death();
    done += static_cast<uint64_t>(moved);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Sandbox>> LinuxSandbox::create(std::shared_ptr<const Module> module,
                                                      const SandboxOptions& options) {
  const ModuleImage* const image = SG_TRY(module->image());
  std::shared_ptr<WorkerSource> source = options.workers;
  if (source == nullptr) source = SG_TRY(default_worker_source());
  const WorkerRequest request = {
      .image_id = image->id(), .faults = fault_use_of(*module), .tenant = options.tenant};
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<Worker> worker = SG_TRY(source->acquire(request));
    std::unique_ptr<LinuxSandbox> sandbox(
        new LinuxSandbox(module, options, source, std::move(worker), std::make_unique<VmContext>()));
    const Status loaded = sandbox->checked(sandbox->load(*image));
    if (loaded) return std::unique_ptr<Sandbox>(std::move(sandbox));
    // It may have been dying when it was acquired; no guest of ours has run in it yet.
    if (loaded.error().kind != ErrorKind::kWorkerDied || attempt == kMaxLoads) return loaded.error();
  }
}

LinuxSandbox::LinuxSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                           std::shared_ptr<WorkerSource> source, std::unique_ptr<Worker> worker,
                           std::unique_ptr<VmContext> context)
    : CompiledSandbox(std::move(module), options, context.get(), worker->memory(), kCode),
      source_(std::move(source)),
      worker_(std::move(worker)),
      own_context_(std::move(context)) {}

LinuxSandbox::~LinuxSandbox() {
  // Not every reset needs the worker, so its death may have gone unnoticed.
  const bool is_clean = !failure_ && reset_memory().has_value() && !failure_ && !worker_->has_died();
  source_->give_back(std::move(worker_), is_clean, failure_ ? &*failure_ : nullptr);
}

bool LinuxSandbox::fail(const Error& error) {
  if (!failure_) failure_ = error;
  worker_->kill();
  return false;
}

// A command that failed has left the worker in an unknown state. What the kernel refuses to do with a process
// that is no more is explained by its end.
Status LinuxSandbox::checked(Status status) {
  if (status) return status;
  const Error reason = worker_->reason_of(status.error());
  fail(reason);
  return reason;
}

// Loading. --------------------------------------------------------------------------------------------------

Status LinuxSandbox::load(const ModuleImage& image) {
  const FaultUse faults = fault_use_of(*module_);
  if (faults != FaultUse::kNone) SG_TRY(worker_->open_userfaultfd(faults));
  image_data_ = own_copy_of(*module_, image);
  if (worker_->image_id == image.id()) return {};
  const bool is_first = worker_->image_id == 0;
  worker_->image_id = 0;
  if (!is_first) SG_TRY(leave_last_module());
  SG_TRY(begin_mapping(image));
  // What the host has to do, it does meanwhile.
  const Status content = load_content(is_first);
  SG_TRY(worker_->finish_change());
  SG_TRY(content);
  if (faults == FaultUse::kWriteTracking) SG_TRY(track_writes());
  if (faults == FaultUse::kDynamicPaging && is_first) {
    SG_TRY(register_pages(worker_->userfaultfd(), {kFirstGuestAddress, kGuestAddressEnd},
                          PageFaults::kMissingAndWrites));
  }
  worker_->image_id = image.id();
  return {};
}

Status LinuxSandbox::begin_mapping(const ModuleImage& image) {
  using From = WorkerRegion::From;
  RegionList list;
  const MemoryMap& map = module_->memory_map();
  if (module_->options().dynamic_paging) {
    list.guest(From::kGuestFile, {kFirstGuestAddress, kGuestAddressEnd}, PROT_READ | PROT_WRITE);
  } else {
    const GuestRange ro = map.ro_data();
    const GuestRange ro_image = imaged_part(ro, image.ro_data());
    list.image(kGuestMemory + ro.begin, {image.ro_data().file_offset, ro_image.size()}, PROT_READ);
    list.guest(From::kZeroes, {ro_image.end, ro.end}, PROT_READ);
    const GuestRange rw = map.rw_data();
    list.image(kGuestMemory + rw.begin, {image.rw_data().file_offset, image_data_.size()},
               PROT_READ | PROT_WRITE);
    const bool is_tracked = fault_use_of(*module_) == FaultUse::kWriteTracking;
    list.guest(is_tracked ? From::kTrackedFile : From::kGuestFile, {rw.begin + image_data_.size(), rw.end},
               PROT_READ | PROT_WRITE);
    list.guest(From::kGuestFile, {rw.end, std::max(rw.end, round_up(map.max_heap_end(), map.page_bytes()))},
               PROT_NONE);
    list.guest(From::kGuestFile, map.stack(), PROT_READ | PROT_WRITE);
    list.guest(From::kGuestFile, map.aux(), PROT_READ);
  }
  const uint64_t copied_bytes = image.first_slots().size_bytes();
  const ModuleImage::Part table = image.jump_table();
  list.image(kImagedJumpTable, {table.file_offset + copied_bytes, table.size_bytes - copied_bytes},
             PROT_READ);
  list.image(kCode, image.code(), PROT_READ | PROT_EXEC);
  ChangeList changes = worker_->map.become(list.all());
  worker_->tables.load(worker_->host_file(), image, changes);
  if (module_->options().memory == MemoryStrategy::kEager && !module_->options().dynamic_paging) {
    for (const GuestRange& range : {map.rw_data(), map.stack()}) {
      changes.add(
          {.address = kGuestMemory + range.begin, .size_bytes = range.size(), .kind = Kind::kPopulate});
    }
  }
  return worker_->begin_change(changes.all(), image.fd());
}

// Before anything is mapped, because what is taken away here may be populated there.
Status LinuxSandbox::leave_last_module() {
  const bool was_tracked = worker_->written_pages != nullptr;
  worker_->written_pages = nullptr;
  if (!was_tracked && worker_->known_pages.size_bytes() <= kMaxInheritedBytes) return {};
  worker_->known_pages.forget();
  return wipe_guest_file(worker_->memory_file());
}

// The last reset has left the last module's data in the file, and pages of zeroes; this one makes them what
// the next module has there.
Status LinuxSandbox::load_content(bool is_first) {
  const GuestFile file = guest_file();
  if (!is_first) SG_TRY(file.reset({}, {0, kGuestSpaceBytes}));
  if (!image_data_.empty()) {
    if (!worker_->memory_access) worker_->memory_access = SG_TRY(worker_->open_process_file("mem", O_RDWR));
    return {};
  }
  return file.write_content();
}

Status LinuxSandbox::track_writes() {
  Result<UniqueFd> pagemap = worker_->open_process_file("pagemap", O_RDONLY);
  // Without /proc, resets overwrite everything.
  if (!pagemap) return {};
  const GuestRange rw = module_->memory_map().rw_data();
  worker_->written_pages =
      SG_TRY(WrittenPages::track(worker_->userfaultfd(), std::move(pagemap).value(), rw));
  return {};
}

// What belongs into the file that worker and host share.
GuestFile LinuxSandbox::guest_file() const {
  InitialContent content;
  const bool is_in_file = !module_->options().dynamic_paging && image_data_.empty();
  if (is_in_file) {
    content = {static_cast<uint32_t>(module_->memory_map().rw_data().begin),
               module_->program().parts().rw_data};
  }
  KnownPages* const known = worker_->has_filter ? &worker_->known_pages : nullptr;
  return GuestFile(worker_->memory_file(), memory_, content, known);
}

// Memory. ---------------------------------------------------------------------------------------------------

// Calls direct(address, size) for pieces in the file, indirect(address, size) for those in the worker's copy.
template <typename Direct, typename Indirect>
Status LinuxSandbox::access_pieces(uint32_t address, uint64_t size_bytes, Direct direct,
                                   Indirect indirect) const {
  const uint64_t end = address + size_bytes;
  const uint64_t copy_begin = std::clamp<uint64_t>(image_data_.begin, address, end);
  const uint64_t copy_end = std::clamp<uint64_t>(image_data_.end, copy_begin, end);
  if (address < copy_begin) direct(address, copy_begin - address);
  if (copy_begin < copy_end) SG_TRY(indirect(copy_begin, copy_end - copy_begin));
  if (copy_end < end) direct(copy_end, end - copy_end);
  return {};
}

// The worker has read-only data from the module's image; the program has it, too.
uint64_t LinuxSandbox::fetch_static(uint32_t address, std::span<uint8_t> out) const {
  const GuestRange ro = module_->memory_map().ro_data();
  if (module_->options().dynamic_paging || address < ro.begin || address >= ro.end) return 0;
  const std::span<const uint8_t> data = module_->program().parts().ro_data;
  const uint64_t size = std::min<uint64_t>(out.size(), ro.end - address);
  const uint64_t offset = std::min<uint64_t>(address - ro.begin, data.size());
  const uint64_t copied = std::min<uint64_t>(size, data.size() - offset);
  if (copied > 0) std::memcpy(out.data(), data.data() + offset, copied);
  std::memset(out.data() + copied, 0, size - copied);
  return size;
}

Status LinuxSandbox::fetch(uint32_t address, std::span<uint8_t> out) const {
  const uint64_t done = fetch_static(address, out);
  address += static_cast<uint32_t>(done);
  out = out.subspan(done);
  if (out.empty()) return {};
  return access_pieces(
      address, out.size(),
      [&](uint64_t at, uint64_t size) { std::memcpy(out.data() + (at - address), memory_ + at, size); },
      [&](uint64_t at, uint64_t size) -> Status {
        if (failure_) return *failure_;
        return transfer(size, "read the worker's memory", *worker_, [&](uint64_t done) {
          return ::pread(worker_->memory_access.get(), out.data() + (at - address) + done, size - done,
                         static_cast<off_t>(kGuestMemory + at + done));
        });
      });
}

Status LinuxSandbox::write_to_worker(uint64_t address, const uint8_t* bytes, uint64_t size_bytes) {
  if (failure_) return *failure_;
  is_image_data_touched_ = true;
  return checked(transfer(size_bytes, "write to the worker's memory", *worker_, [&](uint64_t done) {
    return ::pwrite(worker_->memory_access.get(), bytes + done, size_bytes - done,
                    static_cast<off_t>(kGuestMemory + address + done));
  }));
}

Status LinuxSandbox::store(uint32_t address, std::span<const uint8_t> bytes) {
  if (worker_->written_pages != nullptr) worker_->written_pages->add({address, address + bytes.size()});
  return access_pieces(
      address, bytes.size(),
      [&](uint64_t at, uint64_t size) { std::memcpy(memory_ + at, bytes.data() + (at - address), size); },
      [&](uint64_t at, uint64_t size) { return write_to_worker(at, bytes.data() + (at - address), size); });
}

Status LinuxSandbox::store_zeroes(uint32_t address, uint64_t size_bytes) {
  static constexpr uint8_t kZeroes[16 * kPageBytes] = {};
  if (worker_->written_pages != nullptr) worker_->written_pages->add({address, address + size_bytes});
  return access_pieces(
      address, size_bytes, [&](uint64_t at, uint64_t size) { std::memset(memory_ + at, 0, size); },
      [&](uint64_t at, uint64_t size) -> Status {
        for (uint64_t done = 0; done < size; done += sizeof kZeroes) {
          SG_TRY(write_to_worker(at + done, kZeroes, std::min<uint64_t>(size - done, sizeof kZeroes)));
        }
        return {};
      });
}

Status LinuxSandbox::heap_opened(const GuestRange& pages) {
  if (failure_) return *failure_;
  const MemoryChange open = protection_of(pages, Protection::kReadWrite);
  return checked(worker_->change({&open, 1}));
}

Status LinuxSandbox::aux_changed() {
  if (failure_) return *failure_;
  const GuestRange aux = module_->memory_map().aux();
  const GuestRange open = {aux.begin, aux.begin + access_.accessible_aux_bytes()};
  MemoryChange changes[2];
  size_t count = 0;
  if (!open.empty()) changes[count++] = protection_of(open, Protection::kRead);
  if (open.end != aux.end) changes[count++] = protection_of({open.end, aux.end}, std::nullopt);
  return checked(worker_->change({changes, count}));
}

Status LinuxSandbox::set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) {
  if (failure_) return *failure_;
  if (pages.empty()) return {};
  if (!protection) return checked(discard_guest_file(worker_->memory_file(), pages));
  const bool is_read_only = *protection == Protection::kRead;
  const int fd = worker_->userfaultfd();
  if (!zeroed) return checked(protect_pages(fd, pages, is_read_only));
  return checked(provide_pages({fd, worker_->memory_file()}, pages, {}, is_read_only));
}

Status LinuxSandbox::fill_pages(const GuestRange& pages, std::span<const uint8_t> content,
                                Protection protection) {
  if (failure_) return *failure_;
  SG_TRY(checked(provide_pages({worker_->userfaultfd(), worker_->memory_file()}, pages, content,
                               protection == Protection::kRead)));
  access_.set_pages(pages, protection);
  return {};
}

Status LinuxSandbox::reset_storage() {
  if (failure_) return *failure_;
  if (module_->options().dynamic_paging) {
    worker_->known_pages.forget();
    return checked(wipe_guest_file(worker_->memory_file()));
  }
  const GuestFile file = guest_file();
  WrittenPages* const written = worker_->written_pages.get();
  const GuestRange populated =
      module_->options().memory == MemoryStrategy::kEager ? module_->memory_map().stack() : GuestRange{};
  SG_TRY(checked(file.reset(written != nullptr ? written->range() : GuestRange{}, populated)));
  if (written != nullptr) {
    SG_TRY(checked(written->take([&file](const GuestRange& range) { file.overwrite(range); })));
  }
  MemoryChange changes[3];
  size_t count = 0;
  const MemoryMap& map = module_->memory_map();
  const GuestRange heap = {map.rw_data().end, access_.data_and_heap().end};
  if (!heap.empty()) changes[count++] = protection_of(heap, std::nullopt);
  if (access_.accessible_aux_bytes() != map.aux().size())
    changes[count++] = protection_of(map.aux(), Protection::kRead);
  if (is_image_data_touched_) {
    changes[count++] = {.address = kGuestMemory + image_data_.begin,
                        .size_bytes = image_data_.size(),
                        .kind = Kind::kDiscard};
  }
  is_image_data_touched_ = false;
  return count == 0 ? Status() : checked(worker_->change({changes, count}));
}

}  // namespace sandglass
