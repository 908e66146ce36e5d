#include "sandbox/cli/builtin_functions.h"

#include <algorithm>
#include <chrono>

#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

// One call prints no more, so that a guest cannot make its host hold more than this.
constexpr uint64_t kMaxLogBytes = 64 << 10;

HostCallResult refuse(Refusal& refusal, std::string reason) {
  refusal.reason = std::move(reason);
  return HostCallResult::kStop;
}

HostCallResult log(Sandbox& guest, Refusal& refusal) {
  const uint64_t address = guest.reg(Reg::a0), size_bytes = guest.reg(Reg::a1);
  if (size_bytes > kMaxLogBytes)
    return refuse(refusal, fmt::format("log: {} bytes are too many", size_bytes));
  if (address > UINT32_MAX) return refuse(refusal, fmt::format("log: {:#x} is no guest address", address));
  std::string text(size_bytes, '\0');
  const auto bytes = std::span(reinterpret_cast<uint8_t*>(text.data()), text.size());
  if (const Status status = guest.read(static_cast<uint32_t>(address), bytes); !status) {
    return refuse(refusal, fmt::format("log: {} bytes at {:#x} cannot be read", size_bytes, address));
  }
  print("{}", printable(text));
  return HostCallResult::kContinue;
}

HostCallResult put_u64(Sandbox& guest, Refusal&) {
  print("{}\n", guest.reg(Reg::a0));
  return HostCallResult::kContinue;
}

HostCallResult clock_ns(Sandbox& guest, Refusal&) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  guest.set_reg(Reg::a0, static_cast<uint64_t>(std::chrono::nanoseconds(now).count()));
  return HostCallResult::kContinue;
}

constexpr Builtin kBuiltins[] = {
    {"log", "print a text: a0 its address, a1 its length (at most 64 KiB)", log},
    {"put_u64", "print a0 as a decimal number and a line break", put_u64},
    {"clock_ns", "put the nanoseconds of a clock that never goes back into a0", clock_ns},
};

}  // namespace

std::span<const Builtin> builtins() { return kBuiltins; }

Result<HostFunctions> allow_builtins(std::span<const std::string> names, Refusal& refusal) {
  HostFunctions functions;
  for (const std::string& name : names) {
    const auto builtin = std::find_if(std::begin(kBuiltins), std::end(kBuiltins),
                                      [&](const Builtin& candidate) { return candidate.name == name; });
    if (builtin == std::end(kBuiltins)) {
      return Error::make(ErrorKind::kInvalidArgument, "no such host function", Error::kNowhere, name);
    }
    SG_TRY(functions.add(
        name, [serve = builtin->serve, &refusal](Sandbox& guest) { return serve(guest, refusal); }));
  }
  return functions;
}

}  // namespace sandglass::cli
