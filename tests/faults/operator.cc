#include "tests/faults/operator.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "sandbox/program/assembler.h"

namespace sandglass::faults {
namespace {

using std::chrono::microseconds;

constexpr uint32_t kData = 0x30000;
constexpr uint64_t kHostCallAnswer = 7;
constexpr uint64_t kHeapStep = 5000;

constexpr std::string_view kGuest = R"(
%rw_data_size = 65536
pub @compute:
    s0 = i64 0x5851f42d4c957f2d
    s1 = a0
    a1 = 1
@round:
    a1 = a1 * s0
    a1 = a1 + 12345
    a2 = a1 & 0x7ff8
    u64 [a2 + 0x30000] = a1
    a3 = u64 [a2 + 0x30000]
    a4 = a4 ^ a3
    s1 = s1 - 1
    jump @round if s1 != 0
    a0 = a4
    ret
pub @call_host:
    s0 = a0
@again:
    ecalli 1
    s1 = s1 + a0
    s0 = s0 - 1
    jump @again if s0 != 0
    a0 = s1
    ret
pub @grow:
    s0 = a0
@more:
    a1 = 5000
    a0 = sbrk a1
    jump @full if a0 == 0
    u64 [a0 + -8] = s0
    a2 = u64 [a0 + -8]
    s1 = s1 + a2
    s0 = s0 - 1
    jump @more if s0 != 0
    a0 = s1
    ret
@full:
    trap
pub @read:
    a0 = u64 [a0]
    ret
pub @endless:
    a0 = a0 + 1
    jump @endless
)";

constexpr std::string_view kDynamicGuest = R"(
%rw_data_size = 131072
pub @touch:
    u64 [a0] = a1
    a2 = u64 [a0]
    s1 = s1 + a2
    a0 = a0 + 4096
    a1 = a1 - 1
    jump @touch if a1 != 0
    a0 = s1
    ret
)";

std::shared_ptr<const Module> module_for(const std::string& text, bool is_dynamic) {
  ModuleOptions options = {.backend = Backend::kLinux, .gas = GasMetering::kNone};
  options.dynamic_paging = is_dynamic;
  options.aux_bytes = is_dynamic ? 0 : 8192;
  return Module::create(Program::from_parts(assemble(text).value()).value(), options).value();
}

Status expect(bool is_right, const char* what) {
  if (is_right) return {};
  return Error::make(ErrorKind::kInvalidArgument, what);
}

Status expect_stop(const Interrupt& stop, InterruptKind expected) {
  if (stop.kind == expected) return {};
  return Error::make(ErrorKind::kInvalidArgument, "another stop than expected", stop.fault.address,
                     std::string(name_of(stop.kind)) + " for " + name_of(expected));
}

uint64_t computed(uint64_t rounds) {
  uint64_t state = 1, sum = 0;
  for (uint64_t i = 0; i < rounds; ++i) {
    state = state * 0x5851f42d4c957f2d + 12345;
    sum ^= state;
  }
  return sum;
}

}  // namespace

// Where workers come from. ----------------------------------------------------------------------------------

Result<std::shared_ptr<WorkerPool>> Source::get() {
  const std::lock_guard lock(mutex_);
  if (pool_ == nullptr) pool_ = SG_TRY(WorkerPool::create({.max_idle = max_idle_}));
  return pool_;
}

void Source::blame(const std::shared_ptr<WorkerPool>& pool) {
  // A worker that was killed while it was made is the fate of one; a jail that is gone fails every time.
  constexpr int kEnough = 20;
  if (++failures_in_a_row_ < kEnough) return;
  const std::lock_guard lock(mutex_);
  if (pool_ == pool) pool_ = nullptr;
  failures_in_a_row_ = 0;
}

Theatre::Theatre()
    : first(module_for("%ro_data = 01\n" + std::string(kGuest), false)),
      second(module_for("%ro_data = 02\n" + std::string(kGuest), false)),
      dynamic(module_for(std::string(kDynamicGuest), true)) {}

void Theatre::count(const char* step, const Error& error) {
  const std::lock_guard lock(errors_mutex_);
  ++errors_[std::string(step) + ": " + to_string(error)];
}

std::map<std::string, uint64_t> Theatre::errors() const {
  const std::lock_guard lock(errors_mutex_);
  return errors_;
}

// One sandbox. ----------------------------------------------------------------------------------------------

const Operator::Scenario Operator::kScenarios[] = {
    {"computes", &Operator::compute, 30, false},
    {"calls the host", &Operator::call_host, 20, false},
    {"grows its heap", &Operator::grow_heap, 15, false},
    {"faults pages in", &Operator::fault_pages, 15, true},
    {"shares aux", &Operator::share_aux, 10, false},
    {"runs endlessly", &Operator::run_endlessly, 8, false},
    {"sits idle", &Operator::sit_idle, 2, false},
};

Status Operator::cycle() {
  uint64_t at = random_.below(100);
  const Scenario* scenario = kScenarios;
  for (; at >= scenario->percent; ++scenario) at -= scenario->percent;
  station_.scenario = scenario->name;
  station_.cycle = ++theatre_.cycles;
  Status status = create(*scenario);
  for (uint64_t uses = 1 + random_.below(3); status && uses > 0; --uses) status = use(*scenario);
  if (!status) status = judge(status.error());
  station_.set_target(nullptr);
  station_.enter("drop the sandbox");
  sandbox_.reset();
  worker_ = 0;
  station_.rest();
  return status;
}

Status Operator::create(const Scenario& scenario) {
  Source& source = random_.chance(70) ? theatre_.fresh_workers : theatre_.kept_workers;
  const auto& module = scenario.is_dynamic  ? theatre_.dynamic
                       : random_.chance(50) ? theatre_.first
                                            : theatre_.second;
  station_.enter("make a pool");
  const std::shared_ptr<WorkerPool> pool = SG_TRY(source.get());
  station_.enter("create a sandbox");
  auto created = Sandbox::create(module, {.workers = pool});
  if (!created) {
    source.blame(pool);
    return created.error();
  }
  source.praise();
  sandbox_ = std::move(*created);
  worker_ = static_cast<const LinuxSandbox&>(*sandbox_).worker().process_id();
  station_.process = worker_;
  if (random_.chance(50)) station_.set_target(sandbox_.get());
  return {};
}

Status Operator::use(const Scenario& scenario) {
  station_.enter("prepare");
  SG_TRY((this->*scenario.play)());
  ++theatre_.right;
  station_.enter("reset");
  return sandbox_->reset_memory();
}

// A worker's death is right whenever it comes, but it must be for good.
Status Operator::judge(const Error& error) {
  failed_step_ = station_.step();
  theatre_.count(failed_step_, error);
  if (error.kind != ErrorKind::kWorkerDied) return error;
  ++theatre_.died;
  if (sandbox_ == nullptr) return {};
  station_.enter("run after the death");
  sandbox_->set_next_program_counter(0);
  const Result<Interrupt> again = sandbox_->run({.deadline = microseconds(100)});
  return expect(!again && again.error().kind == error.kind, "a sandbox whose worker has died runs again");
}

Result<Interrupt> Operator::run(const RunLimits& limits) {
  ++theatre_.runs;
  station_.enter("run");
  theatre_.clock.begin(worker_);
  Result<Interrupt> stop = sandbox_->run(limits);
  theatre_.clock.end(worker_, !stop && stop.error().kind == ErrorKind::kWorkerDied);
  return stop;
}

// Whatever stops it from outside: it goes on.
Result<Interrupt> Operator::run_to_a_stop_of_its_own() {
  for (;;) {
    const RunLimits limits = {.deadline = microseconds(random_.chance(50) ? 0 : 20 + random_.below(2000))};
    const Interrupt stop = SG_TRY(run(limits));
    if (stop.kind == InterruptKind::kInterrupted || stop.kind == InterruptKind::kDeadlineExceeded) continue;
    return stop;
  }
}

Status Operator::finish() {
  const Interrupt stop = SG_TRY(run_to_a_stop_of_its_own());
  return expect_stop(stop, InterruptKind::kFinished);
}

// Scenarios. ------------------------------------------------------------------------------------------------

Status Operator::compute() {
  const uint64_t rounds = 1 + random_.below(5000);
  SG_TRY(sandbox_->prepare_call("compute", {rounds}));
  SG_TRY(finish());
  SG_TRY(expect(sandbox_->reg(Reg::a0) == computed(rounds), "a wrong sum"));
  station_.enter("reset");
  SG_TRY(sandbox_->reset_memory());
  std::vector<uint8_t> bytes(0x8000);
  SG_TRY(sandbox_->read(kData, bytes));
  return expect(std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; }),
                "memory is not empty after a reset");
}

Status Operator::call_host() {
  const uint64_t calls = 1 + random_.below(200);
  SG_TRY(sandbox_->prepare_call("call_host", {calls}));
  for (uint64_t i = 0; i < calls; ++i) {
    const Interrupt stop = SG_TRY(run_to_a_stop_of_its_own());
    SG_TRY(expect_stop(stop, InterruptKind::kHostCall));
    SG_TRY(expect(stop.host_call == 1, "another host call"));
    sandbox_->set_reg(Reg::a0, kHostCallAnswer);
  }
  SG_TRY(finish());
  return expect(sandbox_->reg(Reg::a0) == calls * kHostCallAnswer, "a wrong sum of host calls");
}

Status Operator::grow_heap() {
  const uint64_t steps = 1 + random_.below(30);
  SG_TRY(sandbox_->prepare_call("grow", {steps}));
  SG_TRY(finish());
  SG_TRY(expect(sandbox_->reg(Reg::a0) == steps * (steps + 1) / 2, "a wrong sum over the heap"));
  SG_TRY(expect(sandbox_->heap_bytes() == steps * kHeapStep, "a wrong size of the heap"));
  station_.enter("grow the heap from outside");
  // That a worker has died is what the next run says.
  const std::optional<uint32_t> top = sandbox_->sbrk(kHeapStep);
  SG_TRY(sandbox_->prepare_call("read", {top.value_or(kData + 8) - 8}));
  SG_TRY(finish());
  SG_TRY(expect(top.has_value(), "the heap of a worker that lives did not grow"));
  return expect(sandbox_->reg(Reg::a0) == 0, "new heap is not empty");
}

Status Operator::fault_pages() {
  constexpr uint32_t kBegin = 0x20000, kPage = 4096;
  const uint64_t pages = 1 + random_.below(20);
  SG_TRY(sandbox_->prepare_call("touch", {kBegin, pages}));
  for (;;) {
    const Interrupt stop = SG_TRY(run_to_a_stop_of_its_own());
    if (stop.kind == InterruptKind::kFinished) break;
    SG_TRY(expect_stop(stop, InterruptKind::kPageFault));
    station_.enter("serve a page");
    const Protection protection = random_.chance(50) ? Protection::kRead : Protection::kReadWrite;
    SG_TRY(stop.is_write_protected ? sandbox_->protect(stop.page_address, kPage, Protection::kReadWrite)
                                   : sandbox_->provide(stop.page_address, kPage, protection));
  }
  SG_TRY(expect(sandbox_->reg(Reg::a0) == pages * (pages + 1) / 2, "a wrong sum over pages"));
  station_.enter("free pages");
  return sandbox_->free_pages(kBegin, pages * kPage);
}

Status Operator::run_endlessly() {
  SG_TRY(sandbox_->prepare_call("endless", {}));
  RunLimits limits = {.deadline = microseconds(1 + random_.below(10'000))};
  if (random_.chance(30)) limits.cpu_time = microseconds(1 + random_.below(2000));
  const Interrupt stop = SG_TRY(run(limits));
  return expect(stop.kind == InterruptKind::kDeadlineExceeded || stop.kind == InterruptKind::kInterrupted,
                "an endless guest has ended");
}

Status Operator::share_aux() {
  const uint32_t aux = static_cast<uint32_t>(sandbox_->module().memory_map().aux().begin);
  SG_TRY(sandbox_->set_accessible_aux(4096));
  const uint64_t secret = random_.next();
  SG_TRY(sandbox_->write(aux, {reinterpret_cast<const uint8_t*>(&secret), sizeof secret}));
  SG_TRY(sandbox_->prepare_call("read", {aux}));
  SG_TRY(finish());
  SG_TRY(expect(sandbox_->reg(Reg::a0) == secret, "a wrong word in aux"));
  SG_TRY(sandbox_->prepare_call("read", {aux + uint64_t{4096}}));
  const Interrupt stop = SG_TRY(run_to_a_stop_of_its_own());
  return expect(stop.kind == InterruptKind::kTrap && stop.trap == TrapKind::kMemoryAccess,
                "aux that was taken away can be read");
}

Status Operator::sit_idle() {
  station_.enter("sit idle");
  std::this_thread::sleep_for(microseconds(random_.below(3000)));
  return compute();
}

}  // namespace sandglass::faults
