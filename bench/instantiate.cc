// Question: what does a fresh sandbox cost when its module is ready, and does that depend on its size?
// Unit:     time of one cycle: create a sandbox, call a function that returns at once, drop the sandbox.
// Timed:    cycle/tiny, a program of one instruction; cycle/code_1MiB, with a mebibyte of guest code;
//           cycle/memory_256MiB, with that much RW data, of which nothing is touched; cycle/touch_64, the
//           same, where the guest writes to 64 pages. For comparison on a sandbox that stays alive: call, the
//           call alone; reset/clean and reset/touched_2048, reset_memory() after a call that wrote to so many
//           pages.
// Not timed: making the module; writing to the pages that reset/touched_2048 gives back.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/guests.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

constexpr std::string_view kTinyGuest = R"(
pub @main:
    ret
)";

// "main" returns at once; "touch" writes to a0 pages of the RW data.
constexpr std::string_view kLargeMemoryGuest = R"(
%rw_data_size = 268435456
pub @main:
    ret
pub @touch:
    t0 = 0x20000
@next:
    jump @end if a0 == 0
    u64 [t0] = a0
    t0 = t0 + 0x1000
    a0 = a0 + -1
    jump @next
@end:
    ret
)";

// The same call again and again, in a sandbox of its own or in one that stays.
struct Call {
  std::string_view entry = "main";
  uint64_t argument = 0;

  bool run(Sandbox& sandbox, uint32_t pc) const {
    if (!sandbox.prepare_call(pc, std::span(&argument, 1))) return false;
    const Result<Interrupt> stop = sandbox.run();
    return stop && stop->kind == InterruptKind::kFinished;
  }
};

class Cycle {
 public:
  static Result<std::unique_ptr<Cycle>> create(Backend backend,
                                               Result<std::shared_ptr<const Program>> program, Call call) {
    const std::shared_ptr<const Program> ready = SG_TRY(std::move(program));
    SG_TRY(need(backend));
    const uint32_t pc = SG_TRY(export_of(*ready, call.entry));
    auto module = SG_TRY(Module::create(ready, {.backend = backend}));
    return std::unique_ptr<Cycle>(new Cycle(std::move(module), call, pc));
  }

  bool run() {
    const Result<std::unique_ptr<Sandbox>> sandbox = Sandbox::create(module_);
    return sandbox && call_.run(**sandbox, pc_);
  }
  void report(benchmark::State& state) const {
    state.counters["code_bytes"] = static_cast<double>(module_->program().code_bytes());
  }

 private:
  Cycle(std::shared_ptr<const Module> module, Call call, uint32_t pc)
      : module_(std::move(module)), call_(call), pc_(pc) {}

  std::shared_ptr<const Module> module_;
  Call call_;
  uint32_t pc_;
};

class LiveCall {
 public:
  static Result<std::unique_ptr<LiveCall>> create(Backend backend) {
    auto sandbox = SG_TRY(sandbox_of(kTinyGuest, {.backend = backend}));
    const uint32_t pc = SG_TRY(export_of(sandbox->module().program(), "main"));
    return std::unique_ptr<LiveCall>(new LiveCall(std::move(sandbox), pc));
  }
  bool run() { return call(*sandbox_, pc_); }

 private:
  LiveCall(std::unique_ptr<Sandbox> sandbox, uint32_t pc) : sandbox_(std::move(sandbox)), pc_(pc) {}

  std::unique_ptr<Sandbox> sandbox_;
  uint32_t pc_;
};

class Reset {
 public:
  static Result<std::unique_ptr<Reset>> create(Backend backend, uint64_t pages) {
    auto sandbox = SG_TRY(sandbox_of(kLargeMemoryGuest, {.backend = backend}));
    const uint32_t pc = SG_TRY(export_of(sandbox->module().program(), "touch"));
    return std::unique_ptr<Reset>(new Reset(std::move(sandbox), pc, pages));
  }

  bool run(Nanoseconds& spent) {
    const Call touch{.argument = pages_};
    if (!touch.run(*sandbox_, pc_)) return false;
    if (first_word() != pages_) return false;  // the guest writes how many are left
    const Clock::time_point begin = Clock::now();
    const Status status = sandbox_->reset_memory();
    spent = Clock::now() - begin;
    return status && first_word() == 0;
  }

 private:
  Reset(std::unique_ptr<Sandbox> sandbox, uint32_t pc, uint64_t pages)
      : sandbox_(std::move(sandbox)), pc_(pc), pages_(pages) {}

  std::optional<uint64_t> first_word() const {
    std::array<uint8_t, 8> bytes;
    const auto begin = static_cast<uint32_t>(sandbox_->module().memory_map().rw_data().begin);
    if (!sandbox_->read(begin, bytes)) return std::nullopt;
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    return word;
  }

  std::unique_ptr<Sandbox> sandbox_;
  uint32_t pc_;
  uint64_t pages_;
};

void add_cycles(Suite& suite, Backend backend) {
  const std::string prefix = fmt::format("instantiate/{}/cycle", name_of(backend));
  suite.add(prefix + "/tiny", [=] { return Cycle::create(backend, load(kTinyGuest), {}); });
  suite.add(prefix + "/code_1MiB", [=, seed = suite.seed()] {
    return Cycle::create(backend, program_with_much_code(seed), {.entry = "nop"});
  });
  suite.add(prefix + "/memory_256MiB", [=] { return Cycle::create(backend, load(kLargeMemoryGuest), {}); });
  suite.add(prefix + "/touch_64", [=] {
    return Cycle::create(backend, load(kLargeMemoryGuest), {.entry = "touch", .argument = 64});
  });
}

}  // namespace

void add_instantiate(Suite& suite) {
  for (const Backend backend : kAllBackends) {
    add_cycles(suite, backend);
    const std::string prefix = fmt::format("instantiate/{}", name_of(backend));
    suite.add(prefix + "/call", [=] { return LiveCall::create(backend); });
    suite.add(prefix + "/reset/clean", [=] { return Reset::create(backend, 0); });
    suite.add(prefix + "/reset/touched_2048", [=] { return Reset::create(backend, 2048); });
  }
}

}  // namespace sandglass::bench
