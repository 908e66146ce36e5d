#include "sandbox/base/result.h"

#include <fmt/format.h>

namespace sandglass {

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadProgram: return "bad program";
    case ErrorKind::kInvalidArgument: return "invalid argument";
    case ErrorKind::kOutOfRange: return "out of range";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kExhausted: return "limit reached";
    case ErrorKind::kNoProgramCounter: return "no program counter";
    case ErrorKind::kOs: return "system call failed";
    case ErrorKind::kWorkerDied: return "worker died";
    case ErrorKind::kViolation: return "policy violation";
    case ErrorKind::kProtocolViolation: return "protocol violation";
  }
  return "unknown error";
}

std::string to_string(const Error& error) {
  std::string text = fmt::format("{}: {}", name_of(error.kind), error.what);
  if (error.detail[0] != '\0') text += fmt::format(" '{}'", error.detail);
  if (error.where != Error::kNowhere) text += fmt::format(" (at {:#x} = {})", error.where, error.where);
  if (error.os_errno != 0) text += fmt::format(": {}", std::strerror(error.os_errno));
  return text;
}

void internal::no_value(const Error& error) {
  std::fprintf(stderr, "sandglass: the value of a failed call was taken without a look: %s\n",
               to_string(error).c_str());
  std::abort();
}

}  // namespace sandglass
