#include <elf.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/abi/kernel_constants.h"
#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

constexpr size_t kPageBytes = 4096;

Result<UniqueFd> make_memfd_in_child(size_t size_bytes, unsigned flags) {
  UniqueFd fd(::memfd_create("sandglass-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));
  if (!fd) return Error::os("create a memfd");
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) return Error::os("size a memfd");
  return fd;
}

Status seal_in_child(int fd, int seals) {
  if (::fcntl(fd, F_ADD_SEALS, seals | F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return Error::os("seal a memfd");
  return {};
}

Result<volatile uint8_t*> map_shared_in_child(int fd, size_t size_bytes, const char* what) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return Error::os(what);
  return static_cast<volatile uint8_t*>(base);
}

// The mapping from before the seal stays the only way to write.
Result<int> seal_future_writes_in_child() {
  const UniqueFd fd = SG_TRY(make_memfd_in_child(kPageBytes, 0));
  volatile uint8_t* host = SG_TRY(map_shared_in_child(fd.get(), kPageBytes, "map a memfd"));
  SG_TRY(seal_in_child(fd.get(), F_SEAL_FUTURE_WRITE));
  if (map_shared_in_child(fd.get(), kPageBytes, "map a sealed memfd"))
    return Error::make(ErrorKind::kUnsupported, "a sealed memfd can be mapped writable");
  void* worker = ::mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (worker == MAP_FAILED) return Error::os("map a sealed memfd read-only");
  *host = 1;
  if (*static_cast<volatile uint8_t*>(worker) != 1)
    return Error::make(ErrorKind::kUnsupported, "a sealed memfd does not show what the host writes");
  return 0;
}

// A whole program: it leaves with kAnswer.
constexpr uint8_t kAnswer = 211;
constexpr uint64_t kLoadAddress = 0x400000;
struct TinyProgram {
  Elf64_Ehdr header;
  Elf64_Phdr segment;
  uint8_t code[12] = {0xbf, kAnswer,
                      0,    0,
                      0,  // mov edi, kAnswer
                      0xb8, SYS_exit_group,
                      0,    0,
                      0,            // mov eax, exit_group
                      0x0f, 0x05};  // syscall
};
constexpr TinyProgram kTinyProgram = {
    .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = kLoadAddress + offsetof(TinyProgram, code),
               .e_phoff = offsetof(TinyProgram, segment),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 1},
    .segment = {.p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_vaddr = kLoadAddress,
                .p_filesz = sizeof(TinyProgram),
                .p_memsz = sizeof(TinyProgram),
                .p_align = kPageBytes},
};

[[noreturn]] void execute_in_child(int fd) {
  const char* const arguments[] = {"probe", nullptr};
  const char* const environment[] = {nullptr};
  ::syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
  exit_in_child(errno);  // below kAnswer
}

Result<UniqueFd> executable_memfd_in_child() {
  Result<UniqueFd> fd = make_memfd_in_child(0, kMfdExec);
  if (!fd && fd.error().os_errno == EINVAL) return make_memfd_in_child(0, 0);  // a kernel before that flag
  return fd;
}

Result<int> execute_memfd_in_child() {
  const UniqueFd fd = SG_TRY(executable_memfd_in_child());
  if (::write(fd.get(), &kTinyProgram, sizeof kTinyProgram) != sizeof kTinyProgram)
    return Error::os("fill a memfd");
  SG_TRY(seal_in_child(fd.get(), F_SEAL_WRITE));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork");
  if (pid == 0) execute_in_child(fd.get());
  const int status = SG_TRY(wait_in_child(pid));
  if (!WIFEXITED(status)) return Error::make(ErrorKind::kUnsupported, "a program in a memfd does not run");
  errno = WEXITSTATUS(status);
  if (errno != kAnswer) return Error::os("execveat of a sealed memfd");
  return 0;
}

// Dynamic paging as the host does it, with the host's part played by the signal handler: three kinds
// of faults on shared memory, each a SIGBUS that is served before the retry.
constexpr uint64_t kPagingFeatures = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_MISSING_SHMEM |
                                     UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
                                     UFFD_FEATURE_SIGBUS;
constexpr uint8_t kContents = 42;

struct FaultServer {
  int uffd;
  int fault_count;
  Status (*serve)(int uffd, uint64_t page);
  Status outcome;
};
FaultServer* fault_server;  // of the child alone

Status provide_zeros_in_child(int uffd, uint64_t page) {
  struct uffdio_zeropage request = {.range = {page, kPageBytes}};
  if (::ioctl(uffd, UFFDIO_ZEROPAGE, &request) != 0) return Error::os("provide a page of zeros");
  return {};
}

Status provide_shared_page_in_child(int uffd, uint64_t page) {
  struct uffdio_continue request = {.range = {page, kPageBytes}};
  if (::ioctl(uffd, UFFDIO_CONTINUE, &request) != 0)
    return Error::os("provide a page that the host has filled");
  return {};
}

Status protect_in_child(int uffd, uint64_t page, uint64_t mode) {
  struct uffdio_writeprotect request = {.range = {page, kPageBytes}, .mode = mode};
  if (::ioctl(uffd, UFFDIO_WRITEPROTECT, &request) != 0) return Error::os("write-protect shared memory");
  return {};
}
Status allow_writing_in_child(int uffd, uint64_t page) { return protect_in_child(uffd, page, 0); }

// A fault that cannot be served would come again for ever: then another page takes the place, and the outcome
// is what counts.
void on_fault(int, siginfo_t* info, void*) {
  const uint64_t page = reinterpret_cast<uint64_t>(info->si_addr) & ~uint64_t{kPageBytes - 1};
  ++fault_server->fault_count;
  fault_server->outcome = fault_server->serve(fault_server->uffd, page);
  if (fault_server->outcome) return;
  void* const place = reinterpret_cast<void*>(page);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (::mmap(place, kPageBytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED) exit_in_child(1);
}

Status handle_faults_in_child() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGBUS, &action, nullptr) != 0) return Error::os("handle SIGBUS");
  sigset_t bus;
  ::sigemptyset(&bus);
  ::sigaddset(&bus, SIGBUS);
  if (::sigprocmask(SIG_UNBLOCK, &bus, nullptr) != 0) return Error::os("unblock SIGBUS");
  return {};
}

Status check_faults_in_child(int expected, const char* what) {
  SG_TRY(fault_server->outcome);
  if (fault_server->fault_count != expected) return Error::make(ErrorKind::kUnsupported, what);
  return {};
}

Result<UniqueFd> open_userfaultfd_in_child() {
  UniqueFd uffd(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY)));
  if (!uffd) return Error::os("open a userfaultfd for user mode");
  struct uffdio_api api = {.api = UFFD_API, .features = kPagingFeatures};
  if (::ioctl(uffd.get(), UFFDIO_API, &api) != 0)
    return Error::os(
        "ask userfaultfd for missing, minor and write-protect faults on shared memory as SIGBUS");
  return uffd;
}

Status page_on_demand_in_child(int uffd, volatile uint8_t* guest) {
  FaultServer server = {.uffd = uffd, .serve = provide_zeros_in_child};
  fault_server = &server;
  SG_TRY(handle_faults_in_child());
  const bool is_zero = guest[0] == 0;
  SG_TRY(check_faults_in_child(1, "a missing page was no SIGBUS"));
  SG_TRY(protect_in_child(uffd, reinterpret_cast<uint64_t>(guest), UFFDIO_WRITEPROTECT_MODE_WP));
  server.serve = allow_writing_in_child;
  guest[0] = kContents;
  SG_TRY(check_faults_in_child(2, "a write to a protected page was no SIGBUS"));
  server.serve = provide_shared_page_in_child;
  const bool is_shared = guest[kPageBytes] == kContents;
  SG_TRY(check_faults_in_child(3, "a page that only the host has mapped was no SIGBUS"));
  if (!is_zero || !is_shared)
    return Error::make(ErrorKind::kUnsupported, "a provided page has other contents");
  return {};
}

Result<int> page_in_child() {
  const UniqueFd uffd = SG_TRY(open_userfaultfd_in_child());
  const UniqueFd memory = SG_TRY(make_memfd_in_child(2 * kPageBytes, 0));
  volatile uint8_t* host = SG_TRY(map_shared_in_child(memory.get(), 2 * kPageBytes, "map guest memory"));
  volatile uint8_t* guest = SG_TRY(map_shared_in_child(memory.get(), 2 * kPageBytes, "map guest memory"));
  struct uffdio_register request = {
      .range = {reinterpret_cast<uint64_t>(guest), 2 * kPageBytes},
      .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP};
  if (::ioctl(uffd.get(), UFFDIO_REGISTER, &request) != 0) return Error::os("register shared memory");
  host[kPageBytes] = kContents;
  SG_TRY(page_on_demand_in_child(uffd.get(), guest));
  return 0;
}

Result<void*> map_page_in_child() {
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Error::os("map a page");
  return page;
}

Result<int> mseal_in_child() {
  void* page = SG_TRY(map_page_in_child());
  if (::syscall(kSysMseal, page, kPageBytes, 0) != 0) return Error::os("seal a mapping");
  if (::munmap(page, kPageBytes) == 0 || errno != EPERM)
    return Error::make(ErrorKind::kUnsupported, "a sealed mapping can be unmapped");
  return 0;
}

Result<int> refuse_exec_gain_in_child() {
  void* page = SG_TRY(map_page_in_child());
  if (::prctl(kPrSetMdwe, kPrMdweRefuseExecGain, 0, 0, 0) != 0) return Error::os("set PR_SET_MDWE");
  if (::mprotect(page, kPageBytes, PROT_READ | PROT_EXEC) == 0 || errno != EACCES)
    return Error::make(ErrorKind::kUnsupported, "writable memory can become executable");
  return 0;
}

}  // namespace

Result<int> sealed_memfd() { return run_in_child(seal_future_writes_in_child); }
Result<int> execveat_of_memfd() { return run_in_child(execute_memfd_in_child); }
Result<int> userfaultfd() { return run_in_child(page_in_child); }
Result<int> mseal() { return run_in_child(mseal_in_child); }
Result<int> no_exec_gain() { return run_in_child(refuse_exec_gain_in_child); }

}  // namespace sandglass::probes
