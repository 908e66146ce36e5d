#include "bench/raw_faults.h"

#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace sandglass::bench {
namespace {

// Preparations.

bool drop(const FaultTools& tools) { return tools.memory.drop_pages(); }
bool punch(const FaultTools& tools) { return tools.memory.punch_hole(); }

bool write_all(const FaultTools& tools) {
  for (size_t i = 0; i < tools.memory.pages(); ++i) {
    *static_cast<volatile uint8_t*>(tools.memory.page(i)) = kStamp;
  }
  return true;
}

bool read_all(const FaultTools& tools) {
  uint8_t differences = 0;
  for (size_t i = 0; i < tools.memory.pages(); ++i) {
    differences |= *static_cast<volatile uint8_t*>(tools.memory.page(i)) ^ kImageByte;
  }
  return differences == 0;
}

bool populate(const FaultTools& tools) { return tools.memory.map_populated(); }

bool copy(const FaultTools& tools) { return tools.userfault->copy(tools.memory.bytes(), tools.image); }
bool zero(const FaultTools& tools) { return tools.userfault->zero(tools.memory.bytes()); }
bool go_on(const FaultTools& tools) { return tools.userfault->go_on(tools.memory.bytes()); }

// What the handler needs cannot be handed to it.
const FaultTools* g_faulting;
bool (*volatile g_serve)(const FaultTools&);
volatile sig_atomic_t g_faults;

// Serves the fault; the instruction is then repeated. Gives up on a second one, which would come for ever.
void serve_fault(int, siginfo_t*, void*) {
  g_faults = g_faults + 1;
  if (g_faults > 1 || !g_serve(*g_faulting)) _exit(70);
}

bool write_and_serve(const FaultTools& tools, bool (*serve)(const FaultTools&)) {
  g_faulting = &tools;
  g_serve = serve;
  g_faults = 0;
  return write_all(tools) && g_faults == 1;
}
bool fault_and_copy(const FaultTools& tools) { return write_and_serve(tools, copy); }
bool fault_and_go_on(const FaultTools& tools) { return write_and_serve(tools, go_on); }

constexpr auto kAnonymous = MemoryKind::kAnonymous;
constexpr auto kShared = MemoryKind::kSharedFile;
constexpr auto kPrivate = MemoryKind::kPrivateFile;

constexpr uint64_t kMissing = UFFDIO_REGISTER_MODE_MISSING;
constexpr uint64_t kMinor = UFFDIO_REGISTER_MODE_MINOR;
constexpr uint64_t kMinorFeature = UFFD_FEATURE_MINOR_SHMEM;
constexpr uint64_t kSignal = UFFD_FEATURE_SIGBUS;

constexpr RawFaultCase kCases[] = {
    {"first_write/anonymous", 64, kAnonymous, 0, 0, drop, write_all, kStamp, 0},
    {"first_write/memfd_fresh", 64, kShared, 0, 0, punch, write_all, kStamp, 0},
    {"first_write/memfd_cached", 64, kShared, 0, 0, drop, write_all, kStamp, kImageByte},
    {"first_write/memfd_private", 64, kPrivate, 0, 0, drop, write_all, kStamp, kImageByte},
    {"first_read/memfd_private", 64, kPrivate, 0, 0, drop, read_all, kImageByte, kImageByte},
    {"map_populate/anonymous", 64, kAnonymous, 0, 0, drop, populate, 0, 0},
    {"map_populate/memfd_private", 64, kPrivate, 0, 0, drop, populate, kImageByte, kImageByte},
    {"uffd_copy/1", 1, kAnonymous, 0, kMissing, drop, copy, kImageByte, kImageByte},
    {"uffd_copy/16", 16, kAnonymous, 0, kMissing, drop, copy, kImageByte, kImageByte},
    {"uffd_zeropage/1", 1, kAnonymous, 0, kMissing, drop, zero, 0, 0},
    {"uffd_zeropage/16", 16, kAnonymous, 0, kMissing, drop, zero, 0, 0},
    {"uffd_continue/1", 1, kShared, kMinorFeature, kMinor, drop, go_on, kImageByte, kImageByte},
    {"uffd_continue/16", 16, kShared, kMinorFeature, kMinor, drop, go_on, kImageByte, kImageByte},
    {"uffd_sigbus/copy", 1, kAnonymous, kSignal, kMissing, drop, fault_and_copy, kStamp, kImageByte},
    {"uffd_sigbus/continue", 1, kShared, kSignal | kMinorFeature, kMinor, drop, fault_and_go_on, kStamp,
     kImageByte},
    {"dontneed/1", 1, kAnonymous, 0, 0, write_all, drop, 0, 0},
    {"dontneed/64", 64, kAnonymous, 0, 0, write_all, drop, 0, 0},
    {"punch_hole/1", 1, kShared, 0, 0, write_all, punch, 0, 0},
    {"punch_hole/64", 64, kShared, 0, 0, write_all, punch, 0, 0},
};

bool needs_userfault(const RawFaultCase& raw) { return raw.mode != 0; }

Result<FaultTools> tools_for(const RawFaultCase& raw, const TestMemory& image) {
  FaultTools tools{SG_TRY(TestMemory::create(raw.kind, raw.pages)), {}, image.bytes().data()};
  if (raw.kind != kAnonymous) SG_TRY(tools.memory.fill_file(kImageByte));
  if (!needs_userfault(raw)) return tools;
  tools.userfault = SG_TRY(Userfault::open(raw.features));
  SG_TRY(tools.userfault->watch(tools.memory.bytes(), raw.mode));
  return tools;
}

}  // namespace

std::span<const RawFaultCase> raw_fault_cases() { return kCases; }

Result<std::unique_ptr<RawFaults>> RawFaults::create(const RawFaultCase& raw) {
  TestMemory image = SG_TRY(TestMemory::create(kAnonymous, raw.pages));
  std::memset(image.bytes().data(), kImageByte, image.bytes().size());
  FaultTools tools = SG_TRY(tools_for(raw, image));
  std::unique_ptr<RawFaults> faults(new RawFaults(raw, std::move(tools), std::move(image)));
  struct sigaction action = {};
  action.sa_sigaction = serve_fault;
  action.sa_flags = SA_SIGINFO;
  SG_CHECK(sigaction(SIGBUS, &action, &faults->old_action_) == 0);  // can only fail for a wrong number
  return faults;
}

RawFaults::~RawFaults() { sigaction(SIGBUS, &old_action_, nullptr); }

bool RawFaults::is_right() const {
  for (size_t i = 0; i < tools_.memory.pages(); ++i) {
    const uint8_t* page = tools_.memory.page(i);
    if (page[0] != raw_.first_byte || page[8] != raw_.other_bytes ||
        page[kPageBytes - 1] != raw_.other_bytes) {
      return false;
    }
  }
  return true;
}

bool RawFaults::run(Nanoseconds& spent) {
  if (!raw_.prepare(tools_)) return false;
  const auto start = Clock::now();
  const bool is_done = raw_.operate(tools_);
  spent = Clock::now() - start;
  return is_done && (raw_.operate != populate || tools_.memory.is_resident()) && is_right();
}

void RawFaults::report(benchmark::State& state) const {
  state.counters["ns_per_page"] = ns_per(static_cast<double>(raw_.pages));
}

}  // namespace sandglass::bench
