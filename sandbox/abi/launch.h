// What the host and the template process say to each other over the control socket (SOCK_SEQPACKET), and
// which descriptors each process of the jail has.
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

namespace sandglass {

// Descriptors. ----------------------------------------------------------------------------------------------

namespace template_fd {
inline constexpr int kControl = 0;  // to the host; nothing else stays open
}

// A worker is forked while the template holds a request's descriptors, which the kernel numbered in order.
namespace worker_fd {
inline constexpr int kImage = 0;     // a module's image that has just been received; closed once it is mapped
inline constexpr int kImages = 1;    // socket on which images arrive; nothing is ever sent on it
inline constexpr int kHostFile = 2;  // host_file in protocol.h; closed with the first module's image
inline constexpr int kMemory = 3;    // guest memory; the worker page lies behind its 4 GiB
}  // namespace worker_fd

// Messages. -------------------------------------------------------------------------------------------------

enum LaunchFlags : uint32_t {
  kLaunchFromRoot = 1,          // become an ordinary user first
  kLaunchWithSeccomp = 2,       // install the filter
  kLaunchOwnUserNamespace = 4,  // the host has made a user namespace and its maps already
};

// A bit each in LaunchRequest::hardenings.
enum HardeningRow : uint32_t {
#define HARDENING(name, text, against, needs) kHardening_##name,
#include "sandbox/abi/hardenings.def"
#undef HARDENING
  kHardeningCount,
};

// host → zygote, the first message.
struct LaunchRequest {
  static constexpr uint32_t kMaxFilter = 512;

  uint32_t flags;
  uint32_t hardenings;                 // a bit per HardeningRow
  uint32_t filter_length;              // instructions
  uint64_t address_space_limit_bytes;  // RLIMIT_AS of a worker
  sock_filter filter[kMaxFilter];
};

enum JailStep : uint32_t {
#define JAIL_STEP(name, text, is_required) k_##name,
#include "sandbox/abi/jail_steps.def"
#undef JAIL_STEP
  kJailStepCount,
};

// zygote and template → host.
struct LaunchReport {
  enum Kind : uint32_t {
    kFailed,    // `step` failed with `error`; the process ends
    kTemplate,  // carries the template's pidfd: comes first, unless the zygote itself is the template
    kReady,     // carries the seccomp listener if there is a filter
  };
  Kind kind;
  uint32_t step;                    // a JailStep
  int32_t error;                    // errno
  uint64_t left_out;                // a bit per optional step that this kernel cannot do
  uint64_t cycles[kJailStepCount];  // of the time stamp counter, per step; 0 when it has been taken away
};

// host → template: fork a worker; carries worker_fd::kImages, kHostFile and kMemory.
struct SpawnRequest {
  uint32_t with_userfaultfd;
  uint32_t without_second_filter;
};

// template → host; carries the worker's pidfd when error is 0.
struct SpawnReply {
  int32_t error;  // errno
};

// The descriptor at which a worker leaves its userfaultfd for the host to fetch; closed with the next
// command.
inline constexpr int kUserfaultFd = 4;

}  // namespace sandglass
