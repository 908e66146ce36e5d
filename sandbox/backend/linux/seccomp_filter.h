// From the seccomp policy to the program that the kernel runs, and from numbers of system calls to their
// names.
//
// The host builds the filter with libseccomp, once per engine; what runs in the jail only installs the bytes.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sandbox/abi/seccomp_policy.h"
#include "sandbox/base/result.h"

namespace sandglass {

using SeccompProgram = std::vector<sock_filter>;

// Filter 1 of the policy: the template installs it and workers inherit it. Takes some 50 µs, the first time
// 100; any thread may call it. Fails with kUnsupported when this kernel's seccomp has no user notification.
Result<SeccompProgram> build_worker_filter();

// The same for any rules: allows what they list, for x86-64 callers, and notifies of everything else. A row
// that cannot be translated is an error with the row's index and the name of its call.
Result<SeccompProgram> build_filter(std::span<const SyscallRule> rules);

// What a notification's number means on its architecture (AUDIT_ARCH_...): "mmap". Numbers with the x32 bit
// are looked up in the x32 table. "unknown" when there is no such call.
std::string name_of_syscall(int number, uint32_t architecture = AUDIT_ARCH_X86_64);

}  // namespace sandglass
