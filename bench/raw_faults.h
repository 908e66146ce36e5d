// RawFaults: single operations of the kernel on a few pages: touching them, serving them by userfaultfd,
// giving them back. Measured beside the memory strategies that are made of them.
#pragma once

#include <signal.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "bench/harness.h"
#include "bench/test_memory.h"
#include "bench/userfault.h"

namespace sandglass::bench {

// What the operations work on, and what may be true about it.
struct FaultTools {
  TestMemory memory;
  std::optional<Userfault> userfault;
  const uint8_t* image;  // as many bytes as the memory has, of kImageByte
};

// The content of files and images.
inline constexpr uint8_t kImageByte = 0x5a;
// What the operations that write leave in the first byte of each page.
inline constexpr uint8_t kStamp = 0xc3;

struct RawFaultCase {
  std::string_view name;
  size_t pages;
  MemoryKind kind;
  uint64_t features;  // of the userfaultfd, with its mode; 0 and 0: none
  uint64_t mode;
  bool (*prepare)(const FaultTools& tools);  // not timed
  bool (*operate)(const FaultTools& tools);
  uint8_t first_byte, other_bytes;  // of every page afterwards
};
std::span<const RawFaultCase> raw_fault_cases();

// While it lives, it owns the handler of SIGBUS; its destructor gives it back. Only one may live.
class RawFaults {
 public:
  static constexpr bool kIsLatency = true;
  static Result<std::unique_ptr<RawFaults>> create(const RawFaultCase& raw);
  ~RawFaults();

  bool run(Nanoseconds& spent);
  void report(benchmark::State& state) const;

 private:
  RawFaults(const RawFaultCase& raw, FaultTools tools, TestMemory image)
      : raw_(raw), image_(std::move(image)), tools_(std::move(tools)) {}
  bool is_right() const;

  const RawFaultCase& raw_;
  TestMemory image_;
  FaultTools tools_;
  struct sigaction old_action_ = {};
};

}  // namespace sandglass::bench
