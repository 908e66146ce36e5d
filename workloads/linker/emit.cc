#include "workloads/linker/emit.h"

#include <algorithm>

#include "sandbox/program/code_builder.h"
#include "workloads/linker/code_pointers.h"

namespace sandglass::linker {
namespace {

std::vector<uint32_t> all_labels(const Code& code, const std::vector<uint32_t>& places) {
  std::vector<uint32_t> labels = code.targets;
  labels.insert(labels.end(), code.pointed.begin(), code.pointed.end());
  labels.insert(labels.end(), places.begin(), places.end());
  sort_unique(labels);
  return labels;
}

std::vector<std::string_view> all_imports(const Code& code) {
  std::vector<std::string_view> imports;
  for (const Line& line : code.lines) {
    if (line.in.opcode == Opcode::kEcalli) imports.push_back(line.import);
  }
  sort_unique(imports);
  return imports;
}

template <typename T>
uint32_t index_of(const std::vector<T>& sorted, const T& value) {
  return static_cast<uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
}

class Emitter {
 public:
  Emitter(const Code& code, const std::vector<uint32_t>& places)
      : code_(code), places_(places), labels_(all_labels(code, places)), imports_(all_imports(code)) {}

  Result<EmittedCode> run() {
    for (const Line& line : code_.lines) {
      define_labels_up_to(line.address);
      add(line);
    }
    define_labels_up_to(kNowhere);
    // What comes last must not run out of the code, and a branch needs something to go on with.
    if (!builder_.at_block_start() || positions_are_at_the_end() || last_may_go_on_) {
      builder_.add({.opcode = Opcode::kTrap});
    }
    auto finished = SG_TRY(builder_.finish(positions_));
    const auto offset_of = [&](uint32_t address) {
      return finished.layout.offset_of(positions_[index_of(labels_, address)]);
    };
    EmittedCode result{.imports = std::move(imports_)};
    for (const uint32_t address : code_.pointed) result.jump_table.push_back(offset_of(address));
    for (const uint32_t address : places_) result.places.push_back(offset_of(address));
    result.bytes = std::move(finished.bytes);
    result.bitmask = std::move(finished.bitmask);
    return result;
  }

 private:
  void define_labels_up_to(uint32_t address) {
    while (positions_.size() < labels_.size() && labels_[positions_.size()] <= address) {
      // A target must be the start of a block.
      if (!builder_.at_block_start()) builder_.add({.opcode = Opcode::kFallthrough});
      positions_.push_back(builder_.here());
    }
  }

  bool positions_are_at_the_end() const {
    if (positions_.empty()) return false;
    const CodePosition end = builder_.here(), last = positions_.back();
    return last.fixed_bytes == end.fixed_bytes && last.jumps == end.jumps;
  }

  void add(const Line& line) {
    Instruction in = line.in;
    if (line.code_pointer != kNowhere) in.imm = code_pointer_to(code_.pointed, line.code_pointer);
    if (in.opcode == Opcode::kEcalli) in.imm = index_of(imports_, line.import);
    last_may_go_on_ = flow_of(in.opcode) != Flow::NoFallthrough;
    if (line.target == kNowhere) return builder_.add(in);
    builder_.add_jump(in, index_of(labels_, line.target));
  }

  const Code& code_;
  const std::vector<uint32_t>& places_;
  std::vector<uint32_t> labels_;
  std::vector<std::string_view> imports_;
  std::vector<CodePosition> positions_;  // parallel to labels_
  CodeBuilder builder_{InstructionSet::kLatest64};
  bool last_may_go_on_ = true;
};

}  // namespace

Result<EmittedCode> emit(const Code& code, const std::vector<uint32_t>& places) {
  return Emitter(code, places).run();
}

}  // namespace sandglass::linker
