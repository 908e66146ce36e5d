#include "zygote/worker.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include <linux/userfaultfd.h>

#include "sandbox/abi/guest_entry.h"
#include "sandbox/abi/seccomp_policy.h"
#include "zygote/messages.h"
#include "zygote/system_calls.h"

namespace sandglass::zygote {
namespace {

using namespace worker_space;

// In the page where the stack begins (zygote.ld).
#define SG_OF_WORKER [[gnu::section(".bss.of_worker")]]
// Of the command that is being carried out.
SG_OF_WORKER uint32_t g_sequence = 0;
// Whether the signal handler has left the next command for the main loop.
SG_OF_WORKER bool g_is_command_pending = false;
SG_OF_WORKER bool g_is_dying = false;
// Where this process was when it last looked.
SG_OF_WORKER uint32_t g_core = 0;
// The first module has come, and has mapped the rest of the host's file.
SG_OF_WORKER bool g_has_had_module = false;

constexpr uint32_t kLooksPerPause = 64;

// Linux keeps the number of the core in the limit of a segment, for getcpu() of the vdso (the upper bits are
// the NUMA node). RDTSCP would find it as well, but takes longer and is gone with the time stamp counter.
// Should the segment ever move, the worker believes itself on the host's core and does not look at words.
bool is_on_core_of_host() {
  constexpr uint32_t kCpuNodeSegment = 15 * 8 + 3;
  const uint32_t host = __atomic_load_n(&host_page()->core, __ATOMIC_RELAXED);
  uint32_t number = host;
  asm volatile("lsl %1, %0" : "+r"(number) : "r"(kCpuNodeSegment) : "cc");
  g_core = number & 0xfff;
  return g_core == host;
}

template <typename T>
T load(const T* word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

// Setting up. ----------------------------------------------------------------------------------------------

void map_shared(uint64_t address, int fd, uint64_t offset, int protection) {
  const long mapped = call(__NR_mmap, address, kPageBytes, protection, MAP_SHARED | MAP_FIXED, fd, offset);
  if (mapped < 0) exit_process(kExitSetup);  // there is no page yet to leave a message in
}

void forbid_new_processes(const SpawnRequest& request) {
  const rlimit64 none = {0, 0};
  if (call(__NR_setrlimit, RLIMIT_NPROC, &none) < 0) die(kExitSetup, "limit the number of processes");
  if (request.without_second_filter != 0) return;
  sock_fprog program = {.len = sizeof kWorkerFilter / sizeof kWorkerFilter[0],
                        .filter = const_cast<sock_filter*>(kWorkerFilter)};
  if (call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
    die(kExitSetup, "install the worker's filter");
}

void open_userfaultfd() {
  const long fd = call(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  if (fd != kUserfaultFd) die(kExitSetup, "open a userfaultfd");
}

// Commands. ------------------------------------------------------------------------------------------------

long carry_out(const MemoryChange& change, int image) {
  const auto map = [&change](int flags, int fd) {
    return call(__NR_mmap, change.address, change.size_bytes, change.protection, flags | MAP_FIXED, fd,
                change.file_offset);
  };
  switch (change.kind) {
    case MemoryChange::Kind::kMapImage: return map(MAP_PRIVATE, image);
    case MemoryChange::Kind::kMapMemory: return map(MAP_SHARED, worker_fd::kMemory);
    case MemoryChange::Kind::kMapHostFile: return map(MAP_SHARED, worker_fd::kHostFile);
    case MemoryChange::Kind::kMapAnonymous: return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    case MemoryChange::Kind::kUnmap: return call(__NR_munmap, change.address, change.size_bytes);
    case MemoryChange::Kind::kProtect:
      return call(__NR_mprotect, change.address, change.size_bytes, change.protection);
    case MemoryChange::Kind::kDiscard:
      return call(__NR_madvise, change.address, change.size_bytes, MADV_DONTNEED);
    case MemoryChange::Kind::kPopulate:
      return call(__NR_madvise, change.address, change.size_bytes, MADV_POPULATE_WRITE);
  }
  return -EINVAL;
}

void change_address_space() {
  const HostPage* const host = host_page();
  WorkerPage* const worker = worker_page();
  worker->change_errno = 0;
  char byte;
  if (host->receives_image != 0) {
    const long received = receive_message(worker_fd::kImages, &byte, 1, 1);
    if (received < 0) die(kExitProtocol, "receive a module's image");
  }
  for (uint32_t i = 0; i < host->change_count; ++i) {
    const long result = carry_out(host->changes[i], worker_fd::kImage);
    if (result >= 0 || result < -4095) continue;
    worker->change_errno = (uint32_t)-result;
    worker->failed_change = i;
    break;
  }
  if (host->receives_image == 0) return;
  call(__NR_close, worker_fd::kImage);
  if (!g_has_had_module) call(__NR_close, worker_fd::kHostFile);
  g_has_had_module = true;
}

// Everything else is still in the context.
void accept_entry(VmContext& context) {
  const HostPage* const host = host_page();
  context.resume_address = host->resume_address;
  context.gas = host->gas;
  for (uint32_t i = 0; i < kNearRegs; ++i) context.regs[kFirstNearReg + i] = host->near_regs[i];
  for (uint32_t changed = host->changed_regs; changed != 0; changed &= changed - 1) {
    const int reg = __builtin_ctz(changed);
    context.regs[reg] = host->regs[reg];
  }
  context.zero_flag_value = context.regs[host->zero_flag_reg];
}

void run_guest() {
  VmContext& context = worker_page()->context;
  accept_entry(context);
  context.exit_reason = ExitReason::kNone;
  zygote_enter(&context);
  if (!g_is_command_pending) publish_stop();
}

void carry_out(WorkerCommand command) {
  switch (command) {
    case WorkerCommand::kRun: return run_guest();
    case WorkerCommand::kChange: return change_address_space();
    case WorkerCommand::kNone:
    case WorkerCommand::kStepOnce: break;
  }
  die(kExitProtocol, "a command that makes no sense");
}

}  // namespace

void publish_stop() {
  WorkerPage* const worker = worker_page();
  const VmContext& context = worker->context;
  worker->exit_reason = context.exit_reason;
  worker->exit_argument = context.exit_argument;
  worker->resume_address = context.resume_address;
  worker->gas = context.gas;
  for (uint32_t i = 0; i < kNearRegs; ++i) worker->near_regs[i] = context.regs[kFirstNearReg + i];
  for (uint32_t i = 0; i < kNextRegs; ++i) worker->next_regs[i] = context.regs[kFirstNextReg + i];
}

void answer() {
  WorkerPage* const worker = worker_page();
  worker->core = g_core;
  // A plain store and a fence: one locked store would wait for the line before the look at what the host
  // does.
  __atomic_store_n(&worker->sequence, g_sequence, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(&host_page()->host_sleeps, __ATOMIC_RELAXED) != 0) {
    call(__NR_futex, &worker->sequence, FUTEX_WAKE, 1, 0, 0, 0);
  }
}

WorkerCommand wait_for_command() {
  const HostPage* const host = host_page();
  WorkerPage* const worker = worker_page();
  for (uint32_t looks = is_on_core_of_host() ? 0 : host->looks;
       load(&host->sequence) == g_sequence && looks > 0; --looks) {
    if (looks % kLooksPerPause != 0) continue;
    asm volatile("pause");
    // The host may have fetched it.
    if (is_on_core_of_host()) break;
  }
  while (load(&host->sequence) == g_sequence) {
    __atomic_store_n(&worker->worker_sleeps, 1, __ATOMIC_SEQ_CST);
    call(__NR_futex, &host->sequence, FUTEX_WAIT, g_sequence, 0, 0, 0);
    __atomic_store_n(&worker->worker_sleeps, 0, __ATOMIC_RELAXED);
    (void)is_on_core_of_host();
  }
  g_sequence = load(&host->sequence);
  return host->command;
}

void leave_for_main_loop() { g_is_command_pending = true; }

void die(WorkerExit status, const char* message) {
  if (g_is_dying) exit_process(kExitFaultInHandler);
  g_is_dying = true;
  WorkerPage* const worker = worker_page();
  uint32_t length = 0;
  for (; message[length] != 0 && length < sizeof worker->message; ++length)
    worker->message[length] = message[length];
  worker->message_bytes = length;
  exit_process(status);
}

void become_worker(const SpawnRequest& request) {
  map_shared(kHostPage, worker_fd::kHostFile, 0, PROT_READ);
  map_shared(kWorkerPage, worker_fd::kMemory, kGuestBytes, PROT_READ | PROT_WRITE);
  // Descriptors are numbered from the lowest free one up: this one takes the first number behind the
  // request's.
  if (request.with_userfaultfd != 0) open_userfaultfd();
  call(__NR_close, template_fd::kControl);
  WorkerPage* const worker = worker_page();
  worker->context.guest_stack = kJumpTable;
  worker->context.memory_base = kGuestMemory;
  worker->context.host_exit = reinterpret_cast<uint64_t>(&zygote_host_exit[0]);
  forbid_new_processes(request);
  g_sequence = kFirstSequence;
  answer();
  bool has_userfaultfd = request.with_userfaultfd != 0;
  for (;;) {
    const WorkerCommand command = g_is_command_pending ? host_page()->command : wait_for_command();
    g_is_command_pending = false;
    // The host has fetched it before it gave the first command.
    if (has_userfaultfd) call(__NR_close, kUserfaultFd);
    has_userfaultfd = false;
    carry_out(command);
    if (!g_is_command_pending) answer();
  }
}

}  // namespace sandglass::zygote

// clang-format off
asm(R"(
.text
.balign 64
.globl zygote_enter
zygote_enter:
)" SG_SAVE_CALLERS_REGISTERS R"(
  mov %rsp, 136(%rdi)
  mov $0xfffffe040, %rax   # HostPage::stop_requested
.globl zygote_enter_check
zygote_enter_check:
  cmpl $0, (%rax)
  jne 1f
)" SG_LOAD_GUEST_AND_JUMP R"(
.globl zygote_enter_end
zygote_enter_end:
1:
  movl $8, 124(%rdi)
.globl zygote_host_exit
zygote_host_exit:
)" SG_RESTORE_CALLERS_REGISTERS_AND_RETURN R"(
)");
// clang-format on

namespace sandglass {
static_assert(worker_space::kHostPage + offsetof(HostPage, stop_requested) == 0xfffffe040);
static_assert(offsetof(VmContext, host_stack) == 136 && offsetof(VmContext, exit_reason) == 124);
static_assert(static_cast<uint32_t>(ExitReason::kInterrupted) == 8);
}  // namespace sandglass
