#include "sandbox/backend/linux/seccomp_filter.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "sandbox/base/unique_fd.h"

namespace sandglass {
namespace {

static_assert(policy::kCloseOnExec == O_CLOEXEC && policy::kNonBlocking == O_NONBLOCK);
static_assert(policy::kProcessLimit == RLIMIT_NPROC);

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

// libseccomp returns negative error numbers.
Status check(int result, const char* step) {
  if (result >= 0) return {};
  return Error{.kind = ErrorKind::kOs, .os_errno = -result, .what = step};
}

Result<Filter> start_filter() {
  // It says only "no" about an action that the kernel does not know.
  Filter filter(seccomp_init(SCMP_ACT_NOTIFY), &seccomp_release);
  if (!filter) return Error::make(ErrorKind::kUnsupported, "seccomp with user notification");
  // The default kills foreign architectures and x32 numbers, and nobody learns why.
  SG_TRY(check(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_NOTIFY),
               "be notified of calls of foreign architectures"));
  // 2: a binary tree over the numbers instead of one comparison after the other. A call costs the same, but
  // the kernel tries a new filter on every number there is: installing takes 27 µs instead of 41.
  SG_TRY(check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "ask for a search tree"));
  return filter;
}

int add_rule(scmp_filter_ctx filter, const SyscallRule& rule) {
  scmp_arg_cmp comparisons[kMaxArgumentChecks];
  unsigned count = 0;
  for (const ArgumentCheck& check : rule.checks) {
    if (check.mask == 0) continue;
    comparisons[count++] = {check.index, SCMP_CMP_MASKED_EQ, check.mask, check.value};
  }
  return seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, rule.number, count, comparisons);
}

Status add_rules(scmp_filter_ctx filter, std::span<const SyscallRule> rules) {
  for (size_t row = 0; row < rules.size(); row++) {
    const int result = add_rule(filter, rules[row]);
    if (result >= 0) continue;
    Error error =
        Error::make(ErrorKind::kInvalidArgument, "a row of the seccomp policy", row, rules[row].name);
    error.os_errno = -result;
    return error;
  }
  return {};
}

Result<SeccompProgram> read_program(int fd) {
  struct stat file;
  if (::fstat(fd, &file) != 0) return Error::os("find the length of the seccomp filter");
  SeccompProgram program(static_cast<size_t>(file.st_size) / sizeof(sock_filter));
  const size_t size_bytes = program.size() * sizeof(sock_filter);
  const ssize_t got = ::pread(fd, program.data(), size_bytes, 0);
  if (got < 0) return Error::os("read the seccomp filter");
  SG_CHECK(static_cast<size_t>(got) == size_bytes && !program.empty());
  return program;
}

Result<SeccompProgram> export_program(scmp_filter_ctx filter) {
  const UniqueFd file(::memfd_create("seccomp-filter", MFD_CLOEXEC));
  if (!file) return Error::os("make a file for the seccomp filter");
  SG_TRY(check(seccomp_export_bpf(filter, file.get()), "export the seccomp filter"));
  return read_program(file.get());
}

// libseccomp asks the kernel what it can do at first use and keeps the answers in plain variables.
std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

// libseccomp tells x32 from x86-64 by a token of its own; the kernel by a bit of the number.
uint32_t library_architecture(int number, uint32_t architecture) {
  constexpr int kX32Bit = 0x4000'0000;
  return architecture == AUDIT_ARCH_X86_64 && (number & kX32Bit) != 0 ? SCMP_ARCH_X32 : architecture;
}

}  // namespace

Result<SeccompProgram> build_filter(std::span<const SyscallRule> rules) {
  const std::lock_guard lock(library_mutex());
  const Filter filter = SG_TRY(start_filter());
  SG_TRY(add_rules(filter.get(), rules));
  return export_program(filter.get());
}

Result<SeccompProgram> build_worker_filter() { return build_filter(kJailPolicy); }

std::string name_of_syscall(int number, uint32_t architecture) {
  // Negative numbers are names without a number in libseccomp, and no calls.
  if (number < 0) return "unknown";
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(library_architecture(number, architecture), number), &std::free);
  return name ? name.get() : "unknown";
}

}  // namespace sandglass
