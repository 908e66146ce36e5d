#include "workloads/linker/tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "workloads/linker/translator.h"

namespace sandglass::linker {
namespace {

// What has been made of the RISC-V instructions at one address.
struct Step {
  uint32_t address = 0;
  uint32_t size_bytes = 0;  // 0: not code, only a trap for those who come here
  uint32_t first_line = 0, line_count = 0;
};

class Tracer {
 public:
  Tracer(const Layout& layout, const Relocations& relocations, Problems& problems)
      : layout_(layout), problems_(problems), translator_(layout, relocations, problems) {
    for (const CodeSection& section : layout.code()) visited_.emplace_back((section.bytes.size() + 1) / 2);
  }

  Code run(const std::vector<Root>& roots);

 private:
  // kMaybe: behind a call, which may never return. If there is no code, the compiler knew.
  enum class Certainty : uint8_t { kSure, kMaybe };
  struct Visit {
    uint32_t address;
    Certainty certainty;
  };

  bool is_first_visit(uint32_t address);
  bool is_decodable(uint32_t address) const;
  void follow(uint32_t address);
  bool take_step(uint32_t address);
  void add_trap(uint32_t address);
  void go_where(const Line& line);
  Code collect();

  const Layout& layout_;
  Problems& problems_;
  Translator translator_;
  std::vector<std::vector<bool>> visited_;  // per section, one bit per two bytes
  std::map<uint32_t, bool> visited_elsewhere_;
  std::vector<Visit> open_;
  std::vector<uint32_t> never_;  // behind calls, and not code
  std::vector<Step> steps_;
  std::vector<Line> lines_;
  std::vector<uint32_t> targets_, pointed_;
};

Code Tracer::run(const std::vector<Root>& roots) {
  for (const Root& root : roots) {
    if (layout_.code_at(root.address) == nullptr || root.address % 2 != 0) {
      problems_.add(fmt::format("{}: {:#x} is no code", root.origin, root.address));
      continue;
    }
    open_.push_back({root.address, Certainty::kSure});
  }
  while (!open_.empty() && !problems_.full()) {
    const Visit visit = open_.back();
    open_.pop_back();
    if (visit.address % 2 != 0) {
      problems_.add(
          fmt::format("{}: an odd address, where no instruction can be", layout_.describe(visit.address)));
      continue;
    }
    if (visit.certainty == Certainty::kMaybe && !is_decodable(visit.address)) {
      never_.push_back(visit.address);
      continue;
    }
    follow(visit.address);
  }
  for (const uint32_t address : never_) {
    if (is_first_visit(address)) add_trap(address);
  }
  return collect();
}

bool Tracer::is_first_visit(uint32_t address) {
  const CodeSection* section = layout_.code_at(address);
  if (section == nullptr) return visited_elsewhere_.emplace(address, true).second;
  auto bit =
      visited_[static_cast<size_t>(section - layout_.code().data())].begin() + (address - section->begin) / 2;
  if (*bit) return false;
  *bit = true;
  return true;
}

bool Tracer::is_decodable(uint32_t address) const {
  return layout_.code_at(address) != nullptr && translator_.fetch(address).op != RiscvOp::kInvalid;
}

// One instruction after the other, as long as they go on and nobody has been there.
void Tracer::follow(uint32_t address) {
  while (is_first_visit(address)) {
    if (layout_.code_at(address) == nullptr) return add_trap(address);  // ran out of its section
    if (!take_step(address)) return;
    address = steps_.back().address + steps_.back().size_bytes;
  }
}

void Tracer::add_trap(uint32_t address) {
  steps_.push_back({.address = address, .first_line = static_cast<uint32_t>(lines_.size()), .line_count = 1});
  LineWriter(lines_, address).add({.opcode = Opcode::kTrap});
}

// Whether it goes on with what follows it.
bool Tracer::take_step(uint32_t address) {
  const auto first = static_cast<uint32_t>(lines_.size());
  const uint32_t size = translator_.translate(address, lines_);
  if (size == 0) return false;
  const auto count = static_cast<uint32_t>(lines_.size()) - first;
  steps_.push_back({.address = address, .size_bytes = size, .first_line = first, .line_count = count});
  for (uint32_t i = first; i < lines_.size(); ++i) go_where(lines_[i]);
  return count == 0 || flow_of(lines_.back().in.opcode) != Flow::NoFallthrough;
}

void Tracer::go_where(const Line& line) {
  if (line.target != kNowhere) {
    targets_.push_back(line.target);
    open_.push_back({line.target, Certainty::kSure});
  }
  if (line.code_pointer != kNowhere) {
    const bool is_return = line.in.opcode != Opcode::kLoadImm;
    pointed_.push_back(line.code_pointer);
    open_.push_back({line.code_pointer, is_return ? Certainty::kMaybe : Certainty::kSure});
  }
}

Code Tracer::collect() {
  std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.address < b.address; });
  Code code;
  code.lines.reserve(lines_.size());
  for (size_t i = 0; i < steps_.size() && !problems_.full(); ++i) {
    const Step& step = steps_[i];
    if (i > 0 && steps_[i - 1].address + steps_[i - 1].size_bytes > step.address) {
      problems_.add(fmt::format("{}: a jump goes into the middle of the instruction at {}",
                                layout_.describe(step.address), layout_.describe(steps_[i - 1].address)));
    }
    for (uint32_t k = 0; k < step.line_count; ++k) code.lines.push_back(lines_[step.first_line + k]);
  }
  sort_unique(targets_);
  sort_unique(pointed_);
  code.targets = std::move(targets_);
  code.pointed = std::move(pointed_);
  return code;
}

}  // namespace

Code trace(const Layout& layout, const Relocations& relocations, const std::vector<Root>& roots,
           Problems& problems) {
  return Tracer(layout, relocations, problems).run(roots);
}

}  // namespace sandglass::linker
