// Runs a seccomp program outside of the kernel: what it answers to a call, and how many instructions that
// took.
//
// Knows the instructions that libseccomp and our own filter use; any other, a load from outside of the call's
// data, a jump or a walk out of the program is no verdict.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sandglass {

struct BpfVerdict {
  uint32_t action;  // SECCOMP_RET_…
  size_t executed;  // instructions
};

std::optional<BpfVerdict> run_bpf(std::span<const sock_filter> program, const seccomp_data& call);

}  // namespace sandglass
