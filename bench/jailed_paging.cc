#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "bench/jailed_rows.h"
#include "bench/test_memory.h"
#include "sandbox/base/units.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

constexpr uint32_t kDataBegin = 0x20000;
constexpr uint32_t kDataBytes = MiB(16);
constexpr uint32_t kDataPages = kDataBytes / kPageBytes;

// "main" returns at once. "write" and "read" go over a1 pages, a2 bytes apart, from a0 on; "write" leaves on
// each how many there still are to come, and a3 in their upper halves; "read" returns what it has found.
constexpr std::string_view kPagesGuest = R"(
%rw_data_size = 16777216
pub @main:
    ret
pub @write:
    a3 = a3 << 32
@next_write:
    t0 = a1 | a3
    u64 [a0] = t0
    a0 = a0 + a2
    a1 = a1 + -1
    jump @next_write if a1 != 0
    ret
pub @read:
    t0 = 0
@next_read:
    t1 = u64 [a0]
    t0 = t0 | t1
    a0 = a0 + a2
    a1 = a1 + -1
    jump @next_read if a1 != 0
    a0 = t0
    ret
)";

// Which pages a guest shall touch.
struct Touch {
  uint64_t begin = kDataBegin;
  uint64_t pages;
  uint64_t stride_bytes = kPageBytes;
  uint64_t stamp = 1;

  Status prepare(Sandbox& sandbox, uint32_t pc) const {
    return sandbox.prepare_call(pc, std::array{begin, pages, stride_bytes, stamp});
  }
};

bool finish_run(Sandbox& sandbox) {
  const Result<Interrupt> stop = sandbox.run();
  return stop && stop->kind == InterruptKind::kFinished;
}

// Dynamic paging: the guest writes to one page after the other, all missing; the host provides them, `batch`
// at a time.
class ServedFaults {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<ServedFaults>> create(const Seating& seating, uint32_t batch, size_t hogs) {
    const auto program = SG_TRY(load(kPagesGuest));
    const uint32_t pc = SG_TRY(export_of(*program, "write"));
    const auto module = SG_TRY(Module::create(
        program, {.backend = Backend::kLinux, .gas = GasMetering::kNone, .dynamic_paging = true}));
    auto guests = SG_TRY(JailedGuests::create(seating, {.max_idle = 0}, hogs));
    auto sandbox = SG_TRY(guests->sandbox(module));
    return std::unique_ptr<ServedFaults>(new ServedFaults(batch, pc, std::move(guests), std::move(sandbox)));
  }

  bool run(Nanoseconds& spent) {
    if (served_ == kPages) served_ = 0;
    if (served_ == 0 && !restart()) return false;
    const auto start = Clock::now();
    const Status provided =
        sandbox_->provide(address_of(served_), uint64_t{batch_} * kPageBytes, Protection::kReadWrite);
    const Result<Interrupt> stop = sandbox_->run();
    spent = Clock::now() - start;
    served_ += batch_;
    if (!provided || !stop) return false;
    if (served_ == kPages) return stop->kind == InterruptKind::kFinished && has_written_all();
    return is_fault_at(*stop, served_);
  }
  void report(benchmark::State& state) const { state.counters["ns_per_page"] = ns_per(batch_); }

 private:
  static constexpr uint32_t kPages = 1024;
  static uint32_t address_of(uint32_t page) { return kDataBegin + page * kPageBytes; }
  static bool is_fault_at(const Interrupt& stop, uint32_t page) {
    return stop.kind == InterruptKind::kPageFault && stop.page_address == address_of(page);
  }

  ServedFaults(uint32_t batch, uint32_t pc, std::unique_ptr<JailedGuests> guests,
               std::unique_ptr<Sandbox> sandbox)
      : batch_(batch), pc_(pc), guests_(std::move(guests)), sandbox_(std::move(sandbox)) {}

  // No page is there, and the guest stands in front of the first one.
  bool restart() {
    if (!sandbox_->free_pages(kDataBegin, uint64_t{kPages} * kPageBytes)) return false;
    if (!Touch{.pages = kPages}.prepare(*sandbox_, pc_)) return false;
    const Result<Interrupt> stop = sandbox_->run();
    return stop && is_fault_at(*stop, 0);
  }
  bool has_written_all() const {
    for (uint32_t page = 0; page < kPages; ++page) {
      uint32_t left = 0;
      std::array<uint8_t, sizeof left> bytes;
      if (!sandbox_->read(address_of(page), bytes)) return false;
      std::memcpy(&left, bytes.data(), sizeof left);
      if (left != kPages - page) return false;
    }
    return true;
  }

  uint32_t batch_, pc_;
  std::unique_ptr<JailedGuests> guests_;
  std::unique_ptr<Sandbox> sandbox_;
  uint32_t served_ = 0;
};

// Static memory: the guest touches pages that nobody has touched before, in a worker that is new.
class FirstTouch {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<FirstTouch>> create(std::string_view entry) {
    const auto program = SG_TRY(load(kPagesGuest));
    const uint32_t warm_up = SG_TRY(export_of(*program, "main"));
    const uint32_t pc = SG_TRY(export_of(*program, entry));
    auto module = SG_TRY(Module::create(program, {.backend = Backend::kLinux, .gas = GasMetering::kNone}));
    auto guests = SG_TRY(JailedGuests::create(kCrossCore, {.max_idle = 0}));
    return std::unique_ptr<FirstTouch>(
        new FirstTouch(std::move(module), std::move(guests), warm_up, pc, entry == "read"));
  }

  bool run(Nanoseconds& spent) {
    const Result<std::unique_ptr<Sandbox>> sandbox = guests_->sandbox(module_);
    if (!sandbox || !call(**sandbox, warm_up_)) return false;  // now it spins, waiting for us
    if (!Touch{.pages = kPages}.prepare(**sandbox, pc_)) return false;
    const auto start = Clock::now();
    const bool is_finished = finish_run(**sandbox);
    spent = Clock::now() - start;
    return is_finished && (reads_ ? (*sandbox)->reg(Reg::a0) == 0 : has_written(**sandbox));
  }
  void report(benchmark::State& state) const { state.counters["ns_per_page"] = ns_per(kPages); }

 private:
  static constexpr uint32_t kPages = 64;

  FirstTouch(std::shared_ptr<const Module> module, std::unique_ptr<JailedGuests> guests, uint32_t warm_up,
             uint32_t pc, bool reads)
      : module_(std::move(module)), guests_(std::move(guests)), warm_up_(warm_up), pc_(pc), reads_(reads) {}

  static bool has_written(const Sandbox& sandbox) {
    for (uint32_t page = 0; page < kPages; ++page) {
      uint8_t byte = 0;
      if (!sandbox.read(kDataBegin + page * kPageBytes, {&byte, 1}) || byte != kPages - page) return false;
    }
    return true;
  }

  std::shared_ptr<const Module> module_;
  std::unique_ptr<JailedGuests> guests_;
  uint32_t warm_up_, pc_;
  bool reads_;
};

// A guest that has written to some of its 16 MiB is made new again.
class JailedReset {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<JailedReset>> create(bool has_image, uint32_t dirty_pages, size_t hogs) {
    ProgramParts parts = SG_TRY(load(kPagesGuest))->parts();
    std::vector<uint8_t> initial(kDataBytes, 0);
    if (has_image) {
      for (size_t i = 0; i < initial.size(); ++i) initial[i] = static_cast<uint8_t>(i * 151 + i / kPageBytes);
      parts.rw_data = initial;
    }
    const auto program = SG_TRY(Program::from_parts(std::move(parts)));
    const uint32_t pc = SG_TRY(export_of(*program, "write"));
    const auto module =
        SG_TRY(Module::create(program, {.backend = Backend::kLinux, .gas = GasMetering::kNone}));
    auto guests = SG_TRY(JailedGuests::create(kAnywhere, {.max_idle = 1}, hogs));
    auto sandbox = SG_TRY(guests->sandbox(module));
    return std::unique_ptr<JailedReset>(
        new JailedReset(dirty_pages, pc, std::move(initial), std::move(guests), std::move(sandbox)));
  }

  bool run(Nanoseconds& spent) {
    const Touch touch = {
        .pages = dirty_pages_, .stride_bytes = stride_bytes(), .stamp = ++round_ & 0xff'ffff};
    if (!touch.prepare(*sandbox_, pc_) || !finish_run(*sandbox_)) return false;
    if (left_on_dirty_pages() < dirty_pages_) return false;  // each has at least its number
    const auto start = Clock::now();
    const Status is_reset = sandbox_->reset_memory();
    spent = Clock::now() - start;
    left_over_bytes_ += left_on_dirty_pages();
    return is_reset && left_over_bytes_ == 0;
  }
  // Of all that the worker's file has, also what no guest has asked for.
  bool is_consistent() const { return left_in_file() == 0; }
  void report(benchmark::State& state) const {
    state.counters["ns_per_page"] = ns_per(dirty_pages_);
    state.counters["left_over_bytes"] = static_cast<double>(left_over_bytes_);
  }

 private:
  JailedReset(uint32_t dirty_pages, uint32_t pc, std::vector<uint8_t> initial,
              std::unique_ptr<JailedGuests> guests, std::unique_ptr<Sandbox> sandbox)
      : dirty_pages_(dirty_pages),
        pc_(pc),
        initial_(std::move(initial)),
        guests_(std::move(guests)),
        sandbox_(std::move(sandbox)) {}

  // Spread evenly, so that no two are neighbours.
  uint32_t stride_bytes() const { return kDataPages / dirty_pages_ * kPageBytes; }

  // Bytes of a page that are not as in the beginning, where the host sees it. Looking at a page that nobody
  // has touched would make it.
  uint64_t left_on(uint64_t address) const {
    static constexpr std::array<uint8_t, kPageBytes> kNothing = {};
    const bool is_data = address >= kDataBegin && address < kDataBegin + kDataBytes;
    const uint8_t* const wanted = is_data ? initial_.data() + (address - kDataBegin) : kNothing.data();
    const uint8_t* const found = worker_of(*sandbox_).memory() + address;
    if (std::memcmp(found, wanted, kPageBytes) == 0) return 0;
    uint64_t count = 0;
    for (size_t i = 0; i < kPageBytes; ++i) count += found[i] != wanted[i] ? 1 : 0;
    return count;
  }
  uint64_t left_on_dirty_pages() const {
    uint64_t count = 0;
    for (uint32_t i = 0; i < dirty_pages_; ++i) count += left_on(kDataBegin + uint64_t{i} * stride_bytes());
    return count;
  }
  uint64_t left_in_file() const {
    const int file = worker_of(*sandbox_).memory_file().get();
    uint64_t count = 0;
    for (off_t end = 0;;) {
      const off_t begin = lseek(file, end, SEEK_DATA);
      if (begin < 0 || static_cast<uint64_t>(begin) >= kGuestSpaceBytes) return count;
      end = lseek(file, begin, SEEK_HOLE);
      const uint64_t last = std::min(static_cast<uint64_t>(end), kGuestSpaceBytes);
      for (auto page = static_cast<uint64_t>(begin); page < last; page += kPageBytes) count += left_on(page);
    }
  }

  uint32_t dirty_pages_, pc_;
  std::vector<uint8_t> initial_;
  std::unique_ptr<JailedGuests> guests_;
  std::unique_ptr<Sandbox> sandbox_;
  uint64_t round_ = 0;
  uint64_t left_over_bytes_ = 0;
};

}  // namespace

void add_jailed_paging(Suite& suite) {
  for (const Seating& seating : kSeatings) {
    for (const uint32_t batch : {1u, 16u}) {
      const std::string name = fmt::format("paging/linux/fault/{}/{}", seating.name, batch);
      suite.add(name, [&seating, batch] { return ServedFaults::create(seating, batch, 0); });
      suite.add(name + "_hogs", [&seating, batch] { return ServedFaults::create(seating, batch, kHogs); });
    }
  }
  suite.add("paging/linux/first_write", [] { return FirstTouch::create("write"); });
  suite.add("paging/linux/first_read", [] { return FirstTouch::create("read"); });
  for (const uint32_t pages : {16u, 64u, 256u}) {
    for (const bool has_image : {false, true}) {
      const std::string name = fmt::format("paging/linux/reset/{}/{}", has_image ? "image" : "zeroes", pages);
      suite.add(name, [=] { return JailedReset::create(has_image, pages, 0); });
      suite.add(name + "_hogs", [=] { return JailedReset::create(has_image, pages, kHogs); });
    }
  }
}

}  // namespace sandglass::bench
