// RawSignal: a synchronous signal and the way back, without a sandbox: the least that a trap caught by the
// hardware can cost on this machine. Measured beside the traps of the backends.
#pragma once

#include <signal.h>

#include <memory>
#include <span>
#include <string_view>

#include "sandbox/base/mapping.h"

namespace sandglass::bench {

struct RawSignalCase {
  std::string_view name;
  int signal;
  // Does what the kernel answers with the signal; comes back here through the handler.
  bool (*provoke)(uint8_t* protected_page);
  void (*handler)(int, siginfo_t*, void*);
};
std::span<const RawSignalCase> raw_signal_cases();

// While it lives, it owns the handler of its signal and the alternate stack of the thread that made it; its
// destructor, on the same thread, gives both back.
class RawSignal {
 public:
  static Result<std::unique_ptr<RawSignal>> create(const RawSignalCase& raw);
  ~RawSignal();

  // Whether the handler ran.
  bool run() { return raw_.provoke(page_.data()); }

 private:
  RawSignal(const RawSignalCase& raw, Mapping page, Mapping stack)
      : raw_(raw), page_(std::move(page)), stack_(std::move(stack)) {}
  Status install();

  const RawSignalCase& raw_;
  Mapping page_;   // no access
  Mapping stack_;  // what the handler runs on
  struct sigaction old_action_ = {};
  stack_t old_stack_ = {};
  bool is_installed_ = false;
};

}  // namespace sandglass::bench
