// RawPageReset: guest memory that is made as it was before a guest wrote to some of it. The strategies differ
// in how they find those pages and in what they do with them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bench/harness.h"
#include "bench/test_memory.h"
#include "bench/userfault.h"
#include "sandbox/abi/kernel_constants.h"

namespace sandglass::bench {

struct PageRange {
  size_t first, count;
};

struct ResetStrategy;
std::span<const ResetStrategy> reset_strategies();

// A guest's memory, 16 MiB of a memfd, as host and guest see it: the host writes through a mapping of its
// own, so that what it restores does not count as written by the guest.
class RawPageReset {
 public:
  static constexpr bool kIsLatency = true;
  static Result<std::unique_ptr<RawPageReset>> create(const ResetStrategy& strategy, size_t dirty_pages);

  // One reset, and the guest's next write to each of its pages.
  bool run(Nanoseconds& spent);
  void report(benchmark::State& state) const;

  // What the strategies are made of.
  bool punch_hole();
  bool ask_count();     // whether the file has as many pages as it had; find_data() if not
  bool find_data();     // pages that the file has
  bool find_written();  // pages that the guest has written to since the last time
  bool zero_found();
  bool copy_found();

 private:
  RawPageReset(const ResetStrategy& strategy, size_t dirty_pages, TestMemory guest, TestMemory host,
               TestMemory image)
      : strategy_(strategy),
        dirty_pages_(dirty_pages),
        guest_(std::move(guest)),
        host_(std::move(host)),
        image_(std::move(image)) {}
  Status watch_writes();
  uint8_t* dirty_page(size_t index) const;
  void write_as_guest();
  bool is_right() const;

  const ResetStrategy& strategy_;
  size_t dirty_pages_;
  TestMemory guest_, host_, image_;
  std::optional<Userfault> userfault_;
  UniqueFd pagemap_;
  std::vector<PageRegion> regions_;
  std::vector<PageRange> found_;
  size_t round_ = 0;  // moves the place in the page that the guest writes to
};

struct ResetStrategy {
  std::string_view name;
  bool (RawPageReset::*find)();
  bool (RawPageReset::*restore)();  // null: finding has done it
  bool has_image;                   // the memory was full of its image, or of zeroes
  bool watches_writes;
};

}  // namespace sandglass::bench
