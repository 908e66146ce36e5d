// Result<T>: a value or an Error. The library throws nothing; every function that can refuse returns one.
//
//   Result<Mapping> mapping = Mapping::reserve(MiB(1));
//   if (!mapping) return mapping.error();
//   Mapping own = SG_TRY(Mapping::reserve(MiB(1)));    // the same in one line
//
// An Error is a plain value of fixed size: it allocates nothing, so it can be made after fork() and copied
// between processes. `what` names the step or the broken rule and always points to a string literal.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "sandbox/base/check.h"

namespace sandglass {

enum class ErrorKind : uint8_t {
  kBadProgram,         // the guest program breaks a rule of its format; `where` is an offset or a line
  kInvalidArgument,    // the caller asked for something that makes no sense
  kOutOfRange,         // a guest address range that the caller may not touch
  kUnsupported,        // this kernel, CPU or build cannot do it
  kExhausted,          // a limit of the configuration was reached
  kNoProgramCounter,   // run() without a place to start
  kOs,                 // a system call failed; see os_errno
  kWorkerDied,         // the worker process went away
  kViolation,          // the worker did what its policy forbids
  kProtocolViolation,  // the worker wrote nonsense into the shared context
};

const char* name_of(ErrorKind kind);

struct Error {
  static constexpr uint64_t kNowhere = ~uint64_t{0};

  ErrorKind kind = ErrorKind::kInvalidArgument;
  int os_errno = 0;           // 0 when no system call is to blame
  const char* what = "";      // string literal
  uint64_t where = kNowhere;  // blob offset, code offset, line or guest address, as `what` says
  char detail[64] = {};       // the offending name, cut to fit; empty when there is none

  // Captures errno; call it right after the system call that failed.
  static Error os(const char* what) { return Error{.kind = ErrorKind::kOs, .os_errno = errno, .what = what}; }
  static Error make(ErrorKind kind, const char* what, uint64_t where = kNowhere,
                    std::string_view detail = {}) {
    Error error{.kind = kind, .what = what, .where = where};
    detail.copy(error.detail, sizeof error.detail - 1);
    return error;
  }
};

// "bad program: the jump table is too long (at 0x1f): …", as a person wants to read it.
std::string to_string(const Error& error);

namespace internal {
// Somebody has taken the value of a Result that has none.
[[noreturn, gnu::cold]] void no_value(const Error& error);
}  // namespace internal

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(const Error& error) : state_(std::in_place_index<1>, error) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    if (!has_value()) internal::no_value(error());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    if (!has_value()) internal::no_value(error());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    SG_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const Error& error) : error_(error), failed_(true) {}
  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  void value() const {
    if (!has_value()) internal::no_value(error_);
  }
  const Error& error() const {
    SG_CHECK(failed_);
    return error_;
  }

 private:
  Error error_;
  bool failed_ = false;
};

using Status = Result<void>;

namespace internal {
template <typename T>
T take(Result<T>& result) {
  return std::move(result).value();
}
inline void take(Result<void>&) {}
}  // namespace internal

}  // namespace sandglass

// Evaluates to the value of a Result, or returns its error from the enclosing function.
#define SG_TRY(...)                           \
  ({                                          \
    auto sg_result = (__VA_ARGS__);           \
    if (!sg_result) return sg_result.error(); \
    ::sandglass::internal::take(sg_result);   \
  })
