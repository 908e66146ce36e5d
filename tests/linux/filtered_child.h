// A forked child that installs a seccomp filter the way the jail does, while this process holds the listener:
// what the child found out, which of its calls were notified, how it ended.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tests/linux/raw_call.h"

namespace sandglass {

enum class ChildUser {
  kSame,    // whoever runs the tests
  kNobody,  // an ordinary user; only root can become one
};

// Memory that parent and child share; the child writes, the parent reads when the child has ended.
struct ChildReport {
  RawAnswer answers[64];
  uint32_t answer_count = 0;
  uint32_t word = 0;  // for futexes and for grandchildren

  void add_in_child(const RawAnswer& answer) { answers[answer_count++] = answer; }
};

// What the parent answers to each notification, so that the child can go on to its next call.
inline constexpr int kNotifiedErrno = 95;  // EOPNOTSUPP

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kGuestPages = 16;
inline constexpr int kExitNoFilter = 90;

// Address space of kGuestPages, the same in parent and child, into which the child may put mappings.
uint64_t guest_space(size_t page = 0);

// The child's side. Descriptors: 0 the control socket, 1 the image socket, on which an image waits, 3 guest
// memory; nothing else but 2.
//
// Without privileges from here on; the listener goes to the parent through the control socket, as the policy
// allows. Ends the child with kExitNoFilter when it cannot be done.
void install_in_child(std::span<const sock_filter> program);
// On top of it, without a listener.
RawAnswer install_second_in_child(std::span<const sock_filter> program);

struct ChildOutcome {
  int wait_status = 0;
  std::vector<seccomp_notif> notifications;
  ChildReport report;
  std::vector<char> guest_memory;  // as the child left it
};

// Runs `body` in a child, which ends with the status that body returns. From the filter's installation on,
// body makes raw system calls only. `image` is the content of the file that the child can receive from
// descriptor 1.
ChildOutcome run_filtered_child(ChildUser user, std::span<const char> image,
                                const std::function<int(ChildReport&)>& body);

}  // namespace sandglass
