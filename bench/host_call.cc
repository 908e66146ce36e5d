// Question: what does it cost a guest to call its host, and the host to look at the guest's memory?
// Unit:     time of one host call, from the host through the guest back to the host; of one copy.
// Timed:    Sandbox::run() from one host call to the next, in a guest that does nothing but count its calls
//           and make the next one. registers: the host also reads three registers and writes one.
//           read_memory, write_memory: a copy between the host and RW data that is in memory.
// Not timed: making the module and the sandbox.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bench/families.h"
#include "bench/guests.h"

namespace sandglass::bench {
namespace {

constexpr uint32_t kNumber = 7;

// s0 counts the calls, t0 sums up what the host answered.
constexpr std::string_view kCallingGuest = R"(
pub @main:
    s0 = 0
    t0 = 0
@loop:
    s0 = s0 + 1
    a0 = s0
    a1 = 5
    a2 = 9
    ecalli 7
    t0 = t0 + a0
    jump @loop
)";

// The loop alone: no registers to hand over.
constexpr std::string_view kCountingGuest = R"(
pub @main:
    s0 = 0
@loop:
    s0 = s0 + 1
    ecalli 7
    jump @loop
)";

class HostCall {
 public:
  static Result<std::unique_ptr<HostCall>> create(Backend backend, GasMetering gas) {
    auto sandbox = SG_TRY(sandbox_of(kCountingGuest, {.backend = backend, .gas = gas}));
    SG_TRY(sandbox->prepare_call("main", {}));
    return std::unique_ptr<HostCall>(new HostCall(std::move(sandbox)));
  }

  bool run() {
    ++calls_;
    const Result<Interrupt> stop = sandbox_->run();
    return stop && stop->kind == InterruptKind::kHostCall && stop->host_call == kNumber;
  }
  bool is_consistent() const { return sandbox_->reg(Reg::s0) == calls_; }

 private:
  explicit HostCall(std::unique_ptr<Sandbox> sandbox) : sandbox_(std::move(sandbox)) {}

  std::unique_ptr<Sandbox> sandbox_;
  uint64_t calls_ = 0;
};

class HostCallWithRegisters {
 public:
  static Result<std::unique_ptr<HostCallWithRegisters>> create(Backend backend) {
    auto sandbox = SG_TRY(sandbox_of(kCallingGuest, {.backend = backend, .gas = GasMetering::kNone}));
    SG_TRY(sandbox->prepare_call("main", {}));
    return std::unique_ptr<HostCallWithRegisters>(new HostCallWithRegisters(std::move(sandbox)));
  }

  bool run() {
    ++calls_;
    const Result<Interrupt> stop = sandbox_->run();
    if (!stop || stop->kind != InterruptKind::kHostCall) return false;
    const uint64_t sum = sandbox_->reg(Reg::a0) + sandbox_->reg(Reg::a1) + sandbox_->reg(Reg::a2);
    sandbox_->set_reg(Reg::a0, 3);
    return sum == calls_ + 5 + 9;
  }
  // The last answer has been given but not been added yet.
  bool is_consistent() const { return sandbox_->reg(Reg::t0) == 3 * (calls_ - 1); }

 private:
  explicit HostCallWithRegisters(std::unique_ptr<Sandbox> sandbox) : sandbox_(std::move(sandbox)) {}

  std::unique_ptr<Sandbox> sandbox_;
  uint64_t calls_ = 0;
};

constexpr uint32_t kLargestCopy = 64 * 1024;
constexpr std::string_view kGuestWithData = R"(
%rw_data_size = 65536
pub @main:
    ret
)";

// Copies to and fro: both directions are verified with a pattern, one is timed.
class MemoryCopy {
 public:
  enum class Direction : uint8_t { kRead, kWrite };

  static Result<std::unique_ptr<MemoryCopy>> create(Backend backend, Direction direction, uint32_t bytes) {
    auto sandbox = SG_TRY(sandbox_of(kGuestWithData, {.backend = backend}));
    auto copy = std::unique_ptr<MemoryCopy>(new MemoryCopy(std::move(sandbox), direction, bytes));
    if (!copy->round_trip_is_right()) {
      return Error::make(ErrorKind::kInvalidArgument, "memory does not keep what was written");
    }
    return copy;
  }

  bool run() {
    const Status status = direction_ == Direction::kRead ? sandbox_->read(address_, buffer_)
                                                         : sandbox_->write(address_, buffer_);
    return status.has_value();
  }
  // What was timed did move bytes.
  bool is_consistent() const {
    std::vector<uint8_t> seen(buffer_.size());
    return sandbox_->read(address_, seen) && seen == pattern() && buffer_ == seen;
  }
  void report(benchmark::State& state) const {
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(buffer_.size()));
  }

 private:
  MemoryCopy(std::unique_ptr<Sandbox> sandbox, Direction direction, uint32_t bytes)
      : sandbox_(std::move(sandbox)),
        direction_(direction),
        address_(static_cast<uint32_t>(sandbox_->module().memory_map().rw_data().begin)),
        buffer_(bytes) {}

  std::vector<uint8_t> pattern() const {
    std::vector<uint8_t> bytes(buffer_.size());
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 151 + 17);
    return bytes;
  }
  bool round_trip_is_right() {
    if (!sandbox_->write(address_, pattern()) || !sandbox_->read(address_, buffer_)) return false;
    const bool is_right = buffer_ == pattern();
    // So that is_consistent() sees a read that does nothing.
    if (direction_ == Direction::kRead) std::ranges::fill(buffer_, 0);
    return is_right;
  }

  std::unique_ptr<Sandbox> sandbox_;
  Direction direction_;
  uint32_t address_;
  std::vector<uint8_t> buffer_;
};

void add_copies(Suite& suite, Backend backend) {
  using Direction = MemoryCopy::Direction;
  for (const uint32_t bytes : {64u, 4096u, kLargestCopy}) {
    suite.add(fmt::format("host_call/{}/read_memory/{}", name_of(backend), bytes),
              [=] { return MemoryCopy::create(backend, Direction::kRead, bytes); });
    suite.add(fmt::format("host_call/{}/write_memory/{}", name_of(backend), bytes),
              [=] { return MemoryCopy::create(backend, Direction::kWrite, bytes); });
  }
}

}  // namespace

void add_host_call(Suite& suite) {
  for (const Backend backend : kAllBackends) {
    suite.add(fmt::format("host_call/{}/loop", name_of(backend)),
              [=] { return HostCall::create(backend, GasMetering::kNone); });
    suite.add(fmt::format("host_call/{}/loop_sync", name_of(backend)),
              [=] { return HostCall::create(backend, GasMetering::kSync); });
    suite.add(fmt::format("host_call/{}/registers", name_of(backend)),
              [=] { return HostCallWithRegisters::create(backend); });
    add_copies(suite, backend);
  }
}

}  // namespace sandglass::bench
