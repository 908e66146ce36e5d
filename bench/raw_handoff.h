// RawHandoff: two processes that take turns, by one primitive of the kernel or by spinning. The peer does
// nothing but answer. Measured beside the backends whose host and worker take turns in earnest.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "bench/affinity.h"
#include "bench/cpu_hogs.h"
#include "bench/harness.h"

namespace sandglass::bench {

enum class Placement : uint8_t { kSameCore, kCrossCore };
const char* name_of(Placement placement);

// One direction: a word that both share, and a pair of descriptors where the primitive has some. The word
// changes with every turn.
struct TurnChannel {
  std::atomic<uint32_t>* word = nullptr;
  int reader = -1, writer = -1;
};

struct RawHandoffCase {
  std::string_view name;
  void (*give)(const TurnChannel& channel, uint32_t turn);
  uint32_t (*take)(const TurnChannel& channel, uint32_t last_turn);  // waits for a turn after that one
  Status (*open)(UniqueFd& reader, UniqueFd& writer);                // null: needs no descriptors
  bool works_on_one_core;
};
std::span<const RawHandoffCase> raw_handoff_cases();

// While it lives, the thread that made it is pinned and the peer waits on its core. Its destructor, on the
// same thread, undoes that.
class RawHandoff {
 public:
  static constexpr bool kIsLatency = true;
  static Result<std::unique_ptr<RawHandoff>> create(const RawHandoffCase& raw, Placement placement,
                                                    size_t hogs);
  // There and back once; whether the peer answered this very turn.
  bool run(Nanoseconds& spent);

 private:
  struct Words;  // shared memory
  struct Direction {
    TurnChannel channel;
    UniqueFd reader, writer;
    Status open(const RawHandoffCase& raw, std::atomic<uint32_t>& word);
  };

  explicit RawHandoff(const RawHandoffCase& raw) : raw_(raw) {}
  Status start(Cores cores, size_t hogs);
  static int answer_in_child(void* handoff);

  const RawHandoffCase& raw_;
  std::shared_ptr<Words> words_;
  Direction to_peer_, to_caller_;
  uint32_t turn_ = 0;
  CpuHogs hogs_;
  Child peer_;
  std::optional<ScopedPin> pin_;
};

}  // namespace sandglass::bench
