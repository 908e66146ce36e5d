// Question: what does measuring cost?
// Unit:     time of one iteration; no other benchmark can mean anything below it.
// Timed:    loop, nothing; clock, one reading of the clock that benchmarks use which time themselves;
//           system_call, the cheapest way into the kernel and back.
// Not timed: nothing is left out.
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/families.h"

namespace sandglass::bench {
namespace {

struct EmptyLoop {
  bool run() {
    asm volatile("");  // or the compiler would take the loop away
    return true;
  }
};

class ReadClock {
 public:
  bool run() {
    const Clock::time_point now = Clock::now();
    const bool is_steady = now >= last_;
    last_ = now;
    return is_steady;
  }

 private:
  Clock::time_point last_;
};

struct SystemCall {
  bool run() { return syscall(SYS_getppid) >= 0; }
};

template <typename Fixture>
Result<std::unique_ptr<Fixture>> make() {
  return std::make_unique<Fixture>();
}

}  // namespace

void add_noop(Suite& suite) {
  suite.add("noop/native/loop", make<EmptyLoop>);
  suite.add("noop/native/clock", make<ReadClock>);
  suite.add("noop/native/system_call", make<SystemCall>);
}

}  // namespace sandglass::bench
