// The pipeline cost model once more, cycle by cycle and entry by entry, as its rules are written down: slow,
// obviously right, and sharing nothing with sandbox/gas. Even the price list is a second one, by mnemonic.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass::test {

class ReferencePipeline {
 public:
  ReferencePipeline(const Program& program, int load_cycles) : program_(program), load_cycles_(load_cycles) {}

  void feed(const Instruction& in);
  uint32_t finish();

 private:
  struct Units {
    int alu = 0, load = 0, store = 0, multiply = 0, divide = 0;
  };
  struct Cost {
    int latency = 0;
    int decode = 0;
    Units units;
  };
  enum class State { kDecoded, kWaiting, kExecuting, kExecuted };
  struct Entry {
    uint64_t id = 0;
    State state = State::kDecoded;
    int remaining = 0;
    Units units;
    std::set<uint64_t> waits_for;
  };

  Cost cost_of(const Instruction& in) const;
  Cost arithmetic_cost(std::string_view name, const Instruction& in) const;
  int branch_latency(const Instruction& in) const;
  bool is_cold(uint32_t pc) const;

  void tick(bool pending);
  void retire();
  void start();
  void execute();
  void complete(const Entry& entry);
  bool fits(const Units& units) const;
  void take(const Units& units, int sign);

  const Program& program_;
  const int load_cycles_;
  std::deque<Entry> buffer_;
  std::array<std::optional<uint64_t>, kRegCount> last_;
  Units free_ = kUnits;
  uint64_t next_id_ = 0;
  int decode_left_ = 4;
  uint64_t cycles_ = 0;

  static constexpr Units kUnits = {4, 4, 4, 1, 1};
};

// The registers an instruction reads, and the one it writes, as far as the model cares.
std::vector<Reg> sources_of(const Instruction& in);
std::optional<Reg> destination_of(const Instruction& in);

}  // namespace sandglass::test
