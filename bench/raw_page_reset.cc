#include "bench/raw_page_reset.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "bench/child.h"
#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

constexpr size_t kPages = MiB(16) / kPageBytes;
constexpr uint8_t kImageByte = 0x5a;
constexpr uint8_t kGuestByte = 0xc3;

constexpr ResetStrategy kStrategies[] = {
    {"punch_hole", &RawPageReset::punch_hole, nullptr, false, false},
    {"fstat_memset", &RawPageReset::ask_count, &RawPageReset::zero_found, false, false},
    {"seek_data_memset", &RawPageReset::find_data, &RawPageReset::zero_found, false, false},
    {"seek_data_memcpy", &RawPageReset::find_data, &RawPageReset::copy_found, true, false},
    {"pagemap_scan_memset", &RawPageReset::find_written, &RawPageReset::zero_found, false, true},
    {"pagemap_scan_memcpy", &RawPageReset::find_written, &RawPageReset::copy_found, true, true},
};

// Where in a page the guest writes in a round: never twice in a row at the same place.
size_t place_in(size_t round) { return round % (kPageBytes / 8) * 8; }

uint64_t address_of(const void* object) { return reinterpret_cast<uint64_t>(object); }

}  // namespace

std::span<const ResetStrategy> reset_strategies() { return kStrategies; }

Result<std::unique_ptr<RawPageReset>> RawPageReset::create(const ResetStrategy& strategy,
                                                           size_t dirty_pages) {
  TestMemory guest = SG_TRY(TestMemory::create(MemoryKind::kSharedFile, kPages));
  TestMemory host = SG_TRY(guest.again());
  TestMemory image = SG_TRY(TestMemory::create(MemoryKind::kAnonymous, kPages));
  std::memset(image.bytes().data(), strategy.has_image ? kImageByte : 0, image.bytes().size());
  std::unique_ptr<RawPageReset> reset(
      new RawPageReset(strategy, dirty_pages, std::move(guest), std::move(host), std::move(image)));
  if (strategy.watches_writes) SG_TRY(reset->watch_writes());
  reset->found_.reserve(kPages);
  for (size_t i = 0; i < dirty_pages; ++i) {
    std::memcpy(reset->dirty_page(i), reset->image_.bytes().data(), kPageBytes);
  }
  reset->write_as_guest();
  return reset;
}

Status RawPageReset::watch_writes() {
  userfault_ = SG_TRY(Userfault::open(kUffdWpAsync | UFFD_FEATURE_PAGEFAULT_FLAG_WP));
  SG_TRY(userfault_->watch(guest_.bytes(), UFFDIO_REGISTER_MODE_WP));
  pagemap_ = UniqueFd(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap_) return os_or_unsupported("open the pagemap", errno);
  regions_.resize(kPages);
  // The first scan protects everything, so that the next one finds what was written since.
  return find_written() ? Status() : os_or_unsupported("scan the pagemap", errno);
}

// Spread evenly, so that no two are neighbours.
uint8_t* RawPageReset::dirty_page(size_t index) const { return guest_.page(index * (kPages / dirty_pages_)); }

void RawPageReset::write_as_guest() {
  ++round_;
  for (size_t i = 0; i < dirty_pages_; ++i) {
    *static_cast<volatile uint8_t*>(dirty_page(i) + place_in(round_)) = kGuestByte;
  }
}

bool RawPageReset::punch_hole() { return host_.punch_hole(); }

bool RawPageReset::ask_count() {
  struct stat status;
  if (::fstat(host_.file(), &status) != 0) return false;
  const auto count = static_cast<size_t>(status.st_blocks) * 512 / kPageBytes;
  return count == found_.size() || find_data();
}

bool RawPageReset::find_data() {
  found_.clear();
  off_t end = 0;
  for (;;) {
    const off_t begin = lseek(host_.file(), end, SEEK_DATA);
    if (begin < 0) return errno == ENXIO;  // no more data
    end = lseek(host_.file(), begin, SEEK_HOLE);
    if (end < 0) return false;
    found_.push_back(
        {static_cast<size_t>(begin) / kPageBytes, static_cast<size_t>(end - begin) / kPageBytes});
  }
}

bool RawPageReset::find_written() {
  found_.clear();
  const uint64_t base = address_of(guest_.bytes().data()), end = base + guest_.bytes().size();
  for (uint64_t start = base; start < end;) {
    PagemapScan scan = {};
    scan.size = sizeof scan;
    scan.flags = kScanWriteProtects | kScanNeedsWpAsync;
    scan.begin = start;
    scan.end = end;
    scan.regions = address_of(regions_.data());
    scan.region_count = regions_.size();
    scan.all = scan.reported = kPageIsWritten;
    const int count = ioctl(pagemap_.get(), kPagemapScan, &scan);
    if (count < 0) return false;
    for (const PageRegion& region : std::span(regions_).first(static_cast<size_t>(count))) {
      found_.push_back({(region.begin - base) / kPageBytes, (region.end - region.begin) / kPageBytes});
    }
    start = scan.walk_end;
  }
  return true;
}

bool RawPageReset::zero_found() {
  for (const PageRange& range : found_) std::memset(host_.page(range.first), 0, range.count * kPageBytes);
  return true;
}

bool RawPageReset::copy_found() {
  for (const PageRange& range : found_) {
    std::memcpy(host_.page(range.first), image_.page(range.first), range.count * kPageBytes);
  }
  return true;
}

// The pages hold what they held in the beginning, apart from the guest's last write.
bool RawPageReset::is_right() const {
  for (size_t i = 0; i < dirty_pages_; ++i) {
    const uint8_t* page = dirty_page(i);
    const uint8_t* image = image_.bytes().data();
    const size_t place = place_in(round_);
    const bool is_restored = std::memcmp(page, image, place) == 0 &&
                             std::memcmp(page + place + 1, image, kPageBytes - place - 1) == 0;
    if (!is_restored || page[place] != kGuestByte) return false;
  }
  return strategy_.restore == nullptr || found_.size() == dirty_pages_;
}

bool RawPageReset::run(Nanoseconds& spent) {
  const auto start = Clock::now();
  const bool is_done =
      (this->*strategy_.find)() && (strategy_.restore == nullptr || (this->*strategy_.restore)());
  write_as_guest();
  spent = Clock::now() - start;
  return is_done && is_right();
}

void RawPageReset::report(benchmark::State& state) const {
  state.counters["ns_per_page"] = ns_per(static_cast<double>(dirty_pages_));
}

}  // namespace sandglass::bench
