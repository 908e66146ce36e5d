#include "sandbox/backend/linux/linux_sandbox.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>

#include "sandbox/abi/launch.h"
#include "sandbox/backend/linux/dynamic_pages.h"
#include "sandbox/backend/linux/guest_file.h"
#include "sandbox/compiler/registers.h"

namespace sandglass {
namespace {

using namespace worker_space;
using Kind = MemoryChange::Kind;

// How long a worker that has been asked to stop may take: it needs microseconds, but may have to wait for a
// CPU.
constexpr uint64_t kStopGraceNs = 500'000'000;
// A block of one instruction has a few dozen machine instructions at most.
constexpr int kMaxSteps = 10'000;

constexpr size_t kSentWords = sizeof(VmContext::regs) / 8 + 4;

uint32_t protection_bits(std::optional<Protection> protection) {
  if (!protection) return PROT_NONE;
  return *protection == Protection::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
}

// The changes that load a module, in order.
class ChangeList {
 public:
  void unmap(uint64_t address, uint64_t size_bytes) {
    add({.address = address, .size_bytes = size_bytes, .kind = Kind::kUnmap});
  }
  void image(uint64_t address, const ModuleImage::Part& part, uint32_t protection) {
    add({.address = address,
         .size_bytes = part.size_bytes,
         .file_offset = part.file_offset,
         .kind = Kind::kMapImage,
         .protection = protection});
  }
  void zeroes(uint64_t address, uint64_t size_bytes, uint32_t protection) {
    add({.address = address,
         .size_bytes = size_bytes,
         .kind = Kind::kMapAnonymous,
         .protection = protection});
  }
  void guest(const GuestRange& range, uint32_t protection) {
    add({.address = kGuestMemory + range.begin,
         .size_bytes = range.size(),
         .file_offset = range.begin,
         .kind = Kind::kMapMemory,
         .protection = protection});
  }
  std::span<const MemoryChange> all() const { return {changes_, count_}; }

 private:
  void add(const MemoryChange& change) {
    if (change.size_bytes == 0) return;
    SG_CHECK(count_ < HostPage::kMaxChanges);
    changes_[count_++] = change;
  }
  MemoryChange changes_[HostPage::kMaxChanges];
  size_t count_ = 0;
};

MemoryChange protection_of(const GuestRange& range, std::optional<Protection> protection) {
  return {.address = kGuestMemory + range.begin,
          .size_bytes = range.size(),
          .kind = Kind::kProtect,
          .protection = protection_bits(protection)};
}

}  // namespace

Result<std::unique_ptr<Sandbox>> LinuxSandbox::create(std::shared_ptr<const Module> module,
                                                      const SandboxOptions& options) {
  const ModuleImage* const image = SG_TRY(module->image());
  std::shared_ptr<WorkerSource> source = options.workers;
  if (source == nullptr) source = SG_TRY(default_worker_source());
  std::unique_ptr<Worker> worker = SG_TRY(source->acquire({.image_id = image->id(),
                                                           .dynamic_paging = module->options().dynamic_paging,
                                                           .tenant = options.tenant}));
  std::unique_ptr<LinuxSandbox> sandbox(new LinuxSandbox(std::move(module), options, std::move(source),
                                                         std::move(worker), std::make_unique<VmContext>()));
  SG_TRY(sandbox->checked(sandbox->load(*image)));
  return std::unique_ptr<Sandbox>(std::move(sandbox));
}

LinuxSandbox::LinuxSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                           std::shared_ptr<WorkerSource> source, std::unique_ptr<Worker> worker,
                           std::unique_ptr<VmContext> context)
    : CompiledSandbox(std::move(module), options, context.get(), worker->memory(), kCode),
      source_(std::move(source)),
      worker_(std::move(worker)),
      own_context_(std::move(context)) {
  std::memcpy(sent_, &worker_->shared().context, sizeof sent_);
}

LinuxSandbox::~LinuxSandbox() {
  const bool is_clean = !failure_ && reset_memory().has_value() && !failure_;
  source_->give_back(std::move(worker_), is_clean);
}

bool LinuxSandbox::fail(const Error& error) {
  if (!failure_) failure_ = error;
  worker_->kill();
  return false;
}

// A command that failed has left the worker in an unknown state.
Status LinuxSandbox::checked(Status status) {
  if (status) return status;
  const Error reason = worker_->reason_of(status.error());
  fail(reason);
  return reason;
}

// Loading. --------------------------------------------------------------------------------------------------

Status LinuxSandbox::load(const ModuleImage& image) {
  const bool is_dynamic = module_->options().dynamic_paging;
  if (is_dynamic) SG_TRY(worker_->open_userfaultfd());
  if (worker_->image_id == image.id()) return {};
  ChangeList list;
  if (worker_->image_id != 0) {
    SG_TRY(wipe_guest_file(worker_->memory_file()));
    list.unmap(kGuestMemory, kGuestBytes);
    list.unmap(kJumpTable, kJumpTableBytes);
    list.unmap(kCode, kCodeBytes);
  }
  list.image(kJumpTable, image.jump_table(), PROT_READ);
  list.image(kJumpTable + uint64_t{kReturnToHost} * 8, image.return_page(), PROT_READ);
  list.image(kCode, image.code(), PROT_READ | PROT_EXEC);
  const MemoryMap& map = module_->memory_map();
  if (is_dynamic) {
    list.guest({kFirstGuestAddress, kGuestAddressEnd}, PROT_READ | PROT_WRITE);
  } else {
    const GuestRange ro = map.ro_data();
    const uint64_t ro_image_bytes = std::min(image.ro_data().size_bytes, ro.size());
    list.image(kGuestMemory + ro.begin, {image.ro_data().file_offset, ro_image_bytes}, PROT_READ);
    list.zeroes(kGuestMemory + ro.begin + ro_image_bytes, ro.size() - ro_image_bytes, PROT_READ);
    const uint64_t heap_end = std::max(map.rw_data().end, round_up(map.max_heap_end(), map.page_bytes()));
    list.guest(map.rw_data(), PROT_READ | PROT_WRITE);
    list.guest({map.rw_data().end, heap_end}, PROT_NONE);
    list.guest(map.stack(), PROT_READ | PROT_WRITE);
    list.guest(map.aux(), PROT_READ);
  }
  worker_->image_id = 0;
  SG_TRY(worker_->change(list.all(), image.fd()));
  if (is_dynamic) {
    SG_TRY(register_pages(worker_->userfaultfd(), {kFirstGuestAddress, kGuestAddressEnd}));
  } else {
    const ProgramParts& parts = module_->program().parts();
    // The guest has read-only data from the image; this copy is for the host's reads.
    std::copy(parts.ro_data.begin(), parts.ro_data.end(), memory_ + map.ro_data().begin);
    std::copy(parts.rw_data.begin(), parts.rw_data.end(), memory_ + map.rw_data().begin);
  }
  worker_->image_id = image.id();
  return {};
}

// Running. --------------------------------------------------------------------------------------------------

void LinuxSandbox::send_context() {
  prepare_entry();
  auto* const shared = reinterpret_cast<uint64_t*>(&worker_->shared().context);
  const auto* const own = reinterpret_cast<const uint64_t*>(context_);
  // Every line that is not written stays in the worker's cache.
  for (size_t i = 0; i < kSentWords; ++i) {
    if (own[i] == sent_[i]) continue;
    __atomic_store_n(&shared[i], own[i], __ATOMIC_RELAXED);
    sent_[i] = own[i];
  }
}

// Copies what the worker claims, once.
void LinuxSandbox::receive_context() {
  const WorkerPage& shared = worker_->shared();
  const bool is_64 = module_->program().is_64_bit();
  const int64_t gas = context_->gas;
  std::memcpy(sent_, &shared.context, 16 * sizeof sent_[0]);
  asm volatile("" : : : "memory");
  std::memcpy(context_, sent_, 16 * sizeof sent_[0]);
  if (context_->exit_reason == ExitReason::kMemset || context_->exit_reason == ExitReason::kSignal) {
    context_->memset_start = __atomic_load_n(&shared.context.memset_start, __ATOMIC_RELAXED);
    context_->memset_count = __atomic_load_n(&shared.context.memset_count, __ATOMIC_RELAXED);
  }
  const bool is_metered = module_->options().gas != GasMetering::kNone;
  if (context_->exit_reason == ExitReason::kSignal) {
    std::memcpy(&report_, &shared.report, sizeof report_);
    asm volatile("" : : : "memory");
    for (size_t i = 0; i < kRegCount; ++i) context_->regs[i] = report_.native_registers[kNativeRegs[i]];
    context_->gas = static_cast<int64_t>(report_.native_registers[kGas]);
  }
  if (!is_metered) context_->gas = gas;
  if (is_64) return;
  for (uint64_t& reg : context_->regs) reg &= UINT32_MAX;
}

bool LinuxSandbox::take_turn(WorkerCommand command) {
  worker_->post(command);
  for (;;) {
    const uint64_t deadline_ns = kill_ns_ != 0 ? kill_ns_ : deadline_ns_;
    switch (worker_->wait(deadline_ns, kill_ns_ != 0 ? nullptr : &context_->stop_requested)) {
      case Turns::Answer::kDone: return true;
      case Turns::Answer::kDied: return fail(worker_->death());
      case Turns::Answer::kNonsense:
        return fail(Error::make(ErrorKind::kProtocolViolation,
                                "the worker's sequence word holds a number that nobody gave"));
      case Turns::Answer::kTimedOut:
        if (kill_ns_ != 0) {
          return fail(
              Error::make(ErrorKind::kWorkerDied, "killed: the worker did not stop when it was asked to"));
        }
        if (cpu_limit_.count() > 0 && !is_cpu_time_over()) continue;
        stop_requested().fetch_or(kStopForDeadline);
        worker_->request_stop();
        [[fallthrough]];
      case Turns::Answer::kPoked: kill_ns_ = monotonic_ns() + kStopGraceNs; continue;
    }
  }
}

// The guest may be in the middle of an instruction of its own: only the host can tell.
bool LinuxSandbox::step_to_boundary() {
  for (int steps = 0; steps < kMaxSteps; ++steps) {
    const uint64_t offset = report_.instruction_pointer - kCode;
    if (offset >= code_.size_bytes()) return false;
    if (is_boundary(static_cast<uint32_t>(offset))) return true;
    if (!take_turn(WorkerCommand::kStepOnce)) return false;
    receive_context();
    if (!is_stop_by_request()) return true;
  }
  return false;
}

bool LinuxSandbox::is_stop_by_request() const {
  return context_->exit_reason == ExitReason::kSignal &&
         (report_.signal == kWorkerStopSignal || report_.signal == SIGTRAP);
}

bool LinuxSandbox::explain(Interrupt& stop) {
  if (context_->exit_reason != ExitReason::kSignal) return explain_exit(stop) && check_stop(stop);
  const uint64_t offset = report_.instruction_pointer - kCode;
  if (offset >= code_.size_bytes()) return false;
  return explain_signal({.is_stop_request = is_stop_by_request(),
                         .native_offset = static_cast<uint32_t>(offset),
                         .temporary = report_.native_registers[kTemp],
                         .stack_word = report_.stack_word},
                        stop);
}

const Error* LinuxSandbox::resume(const RunLimits& limits, Interrupt& stop) {
  if (failure_) return &*failure_;
  begin_limits(limits);
  is_running_.store(true, std::memory_order_seq_cst);
  // A time that is over before the guest is entered does not depend on how fast the guest is.
  if (wall_deadline_ns_ != 0 && monotonic_ns() >= wall_deadline_ns_)
    stop_requested().fetch_or(kStopForDeadline);
  if (stop_requested().load() != 0) worker_->request_stop();
  run_until_stop(stop);
  is_running_.store(false, std::memory_order_seq_cst);
  worker_->clear_stop_request();
  stop_requested().fetch_and(~kStopForDeadline);
  return failure_ ? &*failure_ : nullptr;
}

bool LinuxSandbox::run_until_stop(Interrupt& stop) {
  const int64_t gas_before = context_->gas;
  for (;;) {
    send_context();
    if (!take_turn(WorkerCommand::kRun)) return false;
    receive_context();
    if (is_stop_by_request() && !step_to_boundary()) return failure_ ? false : fail_claim();
    if (context_->exit_reason == ExitReason::kSbrk) {
      if (!run_sbrk()) return fail_claim();
      continue;
    }
    const bool is_spurious = (is_stop_by_request() || context_->exit_reason == ExitReason::kInterrupted) &&
                             stop_requested().load() == 0;
    if (!explain(stop)) return failure_ ? false : fail_claim();
    if (context_->gas > gas_before) return fail_claim();
    if (!is_spurious) return true;
    // A request that has come meanwhile has found the flag set and sent no signal.
    worker_->clear_stop_request();
    if (stop_requested().load() != 0) worker_->request_stop();
  }
}

bool LinuxSandbox::fail_claim() {
  return fail(Error::make(ErrorKind::kProtocolViolation, "the worker reports a stop that cannot be"));
}

void LinuxSandbox::begin_limits(const RunLimits& limits) {
  deadline_ns_ = kill_ns_ = 0;
  cpu_limit_ = limits.cpu_time;
  const auto wall = static_cast<uint64_t>(std::max<int64_t>(limits.deadline.count(), 0));
  wall_deadline_ns_ = wall == 0 ? 0 : monotonic_ns() + wall;
  deadline_ns_ = wall_deadline_ns_;
  if (cpu_limit_.count() <= 0) return;
  cpu_begin_ns_ = cpu_time_ns(worker_->process_id());
  (void)is_cpu_time_over();
}

// The worker has one thread, so its CPU time does not run faster than the wall's: sleeping for what is left
// is never too long. Sets the next time to look.
bool LinuxSandbox::is_cpu_time_over() {
  if (wall_deadline_ns_ != 0 && monotonic_ns() >= wall_deadline_ns_) return true;
  const uint64_t used = cpu_time_ns(worker_->process_id()) - cpu_begin_ns_;
  const auto limit = static_cast<uint64_t>(cpu_limit_.count());
  if (used >= limit) return true;
  const uint64_t next = monotonic_ns() + limit - used;
  deadline_ns_ = wall_deadline_ns_ == 0 ? next : std::min(next, wall_deadline_ns_);
  return false;
}

void LinuxSandbox::kick() {
  if (is_running_.load(std::memory_order_seq_cst)) worker_->request_stop();
}

// Memory. ---------------------------------------------------------------------------------------------------

Status LinuxSandbox::store(uint32_t address, std::span<const uint8_t> bytes) {
  std::memcpy(memory_ + address, bytes.data(), bytes.size());
  return {};
}

Status LinuxSandbox::store_zeroes(uint32_t address, uint64_t size_bytes) {
  std::memset(memory_ + address, 0, size_bytes);
  return {};
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
  const int fd = worker_->userfaultfd();
  if (zeroed || !protection) SG_TRY(checked(discard_guest_file(worker_->memory_file(), pages)));
  if (!protection) return {};
  if (zeroed) return checked(provide_zeroes(fd, pages, *protection == Protection::kRead));
  return checked(protect_pages(fd, pages, *protection == Protection::kRead));
}

Status LinuxSandbox::reset_storage() {
  if (failure_) return *failure_;
  if (module_->options().dynamic_paging) {
    return checked(discard_guest_file(worker_->memory_file(), {0, kGuestSpaceBytes}));
  }
  const MemoryMap& map = module_->memory_map();
  const ProgramParts& parts = module_->program().parts();
  const InitialContent contents[] = {{static_cast<uint32_t>(map.ro_data().begin), parts.ro_data},
                                     {static_cast<uint32_t>(map.rw_data().begin), parts.rw_data}};
  SG_TRY(checked(reset_guest_file(worker_->memory_file(), memory_, contents)));
  MemoryChange changes[2];
  size_t count = 0;
  const GuestRange heap = {map.rw_data().end, access_.data_and_heap().end};
  if (!heap.empty()) changes[count++] = protection_of(heap, std::nullopt);
  if (access_.accessible_aux_bytes() != map.aux().size())
    changes[count++] = protection_of(map.aux(), Protection::kRead);
  return count == 0 ? Status() : checked(worker_->change({changes, count}));
}

}  // namespace sandglass
