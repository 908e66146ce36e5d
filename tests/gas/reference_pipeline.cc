#include "tests/gas/reference_pipeline.h"

#include <algorithm>

namespace sandglass::test {
namespace {

bool has(std::string_view name, std::string_view part) { return name.find(part) != std::string_view::npos; }

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_branch(std::string_view name) { return name.starts_with("branch_"); }
bool is_jump(std::string_view name) {
  return name.starts_with("jump") || name.starts_with("load_imm_and_jump");
}
bool is_plain_load(std::string_view name) {
  return name.starts_with("load_") && !name.starts_with("load_imm");
}

}  // namespace

std::vector<Reg> sources_of(const Instruction& in) {
  switch (info_of(in.opcode).form) {
    case Form::BaseOff:
    case Form::BaseOffImm:
    case Form::DstBaseOff:
    case Form::DstBaseImmOff: return {in.base};
    case Form::SrcAddr:
    case Form::SrcImmTarget:
    case Form::DstSrc:
    case Form::DstSrcImm: return {in.src1};
    case Form::SrcBaseOff: return {in.src1, in.base};
    case Form::SrcSrcTarget:
    case Form::DstSrcSrc: return {in.src1, in.src2};
    default: return {};
  }
}

std::optional<Reg> destination_of(const Instruction& in) {
  if (is_jump(name_of(in.opcode))) return std::nullopt;
  switch (info_of(in.opcode).form) {
    case Form::DstImm64:
    case Form::DstImm:
    case Form::DstAddr:
    case Form::DstSrc:
    case Form::DstBaseOff:
    case Form::DstSrcImm:
    case Form::DstSrcSrc: return in.dst;
    default: return std::nullopt;
  }
}

bool ReferencePipeline::is_cold(uint32_t pc) const {
  if (pc >= program_.code_bytes()) return true;
  const auto set = static_cast<size_t>(program_.instruction_set());
  const int16_t unlikely = info_of(Opcode::kUnlikely).byte[set];
  const uint8_t byte = program_.code()[pc];
  return byte == 0 || byte == (unlikely < 0 ? 255 : unlikely);
}

int ReferencePipeline::branch_latency(const Instruction& in) const {
  return is_cold(in.next_pc) || is_cold(in.target) ? 1 : 20;
}

ReferencePipeline::Cost ReferencePipeline::cost_of(const Instruction& in) const {
  const std::string_view name = name_of(in.opcode);
  if (one_of(name, {"trap", "fallthrough", "invalid"})) return {2, 1, {}};
  if (name == "unlikely") return {40, 1, {}};
  if (one_of(name, {"jump", "load_imm_and_jump"})) return {15, 1, {}};
  if (is_jump(name)) return {22, 1, {}};
  if (name == "load_imm") return {1, 1, {}};
  if (name == "load_imm64") return {1, 2, {}};
  if (one_of(name, {"ecalli", "memset", "sbrk"})) return {100, 4, {.alu = 1}};
  if (is_plain_load(name)) return {load_cycles_, 1, {.alu = 1, .load = 1}};
  if (name.starts_with("store_")) return {25, 1, {.alu = 1, .store = 1}};
  if (is_branch(name)) return {branch_latency(in), 1, {.alu = 1}};
  if (name.starts_with("div_") || name.starts_with("rem_")) return {60, 4, {.alu = 1, .divide = 1}};
  return arithmetic_cost(name, in);
}

ReferencePipeline::Cost ReferencePipeline::arithmetic_cost(std::string_view name,
                                                           const Instruction& in) const {
  const std::vector<Reg> sources = sources_of(in);
  const int not_source = std::find(sources.begin(), sources.end(), in.dst) == sources.end() ? 1 : 0;
  const int not_first = in.dst != in.src1 ? 1 : 0;
  const int b = program_.is_64_bit() ? 1 : 0;
  const bool immediate = has(name, "_imm");
  const Units alu = {.alu = 1}, multiply = {.alu = 1, .multiply = 1};

  if (has(name, "_imm_alt_64")) return {1, 3, alu};
  if (has(name, "_imm_alt_32")) return {2, 4, alu};
  if (has(name, "count_trailing")) return {2, 1, {.alu = 2}};
  if (has(name, "count_") || has(name, "_extend_")) return {1, 1, alu};
  if (has(name, "set_")) return {3, 3, alu};
  if (has(name, "cmov_")) return {2, immediate ? 3 : 2, alu};
  if (has(name, "maximum") || has(name, "minimum")) return {3, 2 + not_source, alu};
  if (has(name, "_inverted")) return {2, 3, alu};
  if (name == "xnor") return {2, 2 + not_source, alu};
  if (name == "negate_and_add_imm_64") return {2, 3, alu};
  if (name == "negate_and_add_imm_32") return {3, 4, alu};
  if (name == "mul_upper_signed_unsigned") return {6, 4, multiply};
  if (has(name, "mul_upper_")) return {4, 4, multiply};
  if (one_of(name, {"mul_32", "mul_imm_32"})) return {4, 2 + not_source, multiply};
  if (one_of(name, {"mul_64", "mul_imm_64"})) return {3, 1 + not_source, multiply};
  if ((has(name, "shift_") || has(name, "rotate_")) && !immediate) {
    return name.ends_with("_64") ? Cost{1, 2 + not_first, alu} : Cost{1 + b, 2 + not_first + b, alu};
  }
  if (name.ends_with("_32")) return {1 + b, 1 + not_source + b, alu};
  return {1, 1 + not_source, alu};
}

void ReferencePipeline::feed(const Instruction& in) {
  const Cost cost = cost_of(in);
  const bool is_move = name_of(in.opcode) == "move_reg";
  if (decode_left_ < (is_move ? 1 : cost.decode) || buffer_.size() == 32) {
    tick(true);
    while (buffer_.size() > 31) tick(false);
  }
  if (is_move) {
    decode_left_ -= 1;
    last_[static_cast<size_t>(in.dst)] = last_[static_cast<size_t>(in.src1)];
    return;
  }
  Entry entry = {next_id_++, State::kDecoded, cost.latency, cost.units, {}};
  for (Reg source : sources_of(in)) {
    if (last_[static_cast<size_t>(source)]) entry.waits_for.insert(*last_[static_cast<size_t>(source)]);
  }
  if (const auto destination = destination_of(in)) last_[static_cast<size_t>(*destination)] = entry.id;
  buffer_.push_back(std::move(entry));
  decode_left_ -= cost.decode;
}

uint32_t ReferencePipeline::finish() {
  tick(true);
  while (!buffer_.empty()) tick(false);
  const uint64_t cycles = cycles_;
  last_.fill(std::nullopt);
  decode_left_ = 4;
  cycles_ = 0;
  return cycles <= 4 ? 1 : static_cast<uint32_t>(cycles - 3);
}

void ReferencePipeline::tick(bool pending) {
  retire();
  start();
  execute();
  if (pending) {
    for (Entry& entry : buffer_) {
      if (entry.state == State::kDecoded) entry.state = State::kWaiting;
    }
    decode_left_ = 4;
  }
  ++cycles_;
}

void ReferencePipeline::retire() {
  while (!buffer_.empty() && buffer_.front().state == State::kExecuted) buffer_.pop_front();
}

void ReferencePipeline::start() {
  int starts = 0;
  for (Entry& entry : buffer_) {
    if (starts == 5) return;
    if (entry.state != State::kWaiting || !entry.waits_for.empty() || !fits(entry.units)) continue;
    take(entry.units, +1);
    entry.state = State::kExecuting;
    ++starts;
  }
}

void ReferencePipeline::execute() {
  for (Entry& entry : buffer_) {
    if (entry.state != State::kExecuting) continue;
    --entry.remaining;
    if (entry.remaining == 0) complete(entry);
    if (entry.remaining == -1) entry.state = State::kExecuted;
  }
}

void ReferencePipeline::complete(const Entry& entry) {
  for (Entry& other : buffer_) other.waits_for.erase(entry.id);
  for (auto& last : last_) {
    if (last == entry.id) last.reset();
  }
  take(entry.units, -1);
}

bool ReferencePipeline::fits(const Units& units) const {
  return units.alu <= free_.alu && units.load <= free_.load && units.store <= free_.store &&
         units.multiply <= free_.multiply && units.divide <= free_.divide;
}

void ReferencePipeline::take(const Units& units, int sign) {
  free_.alu -= sign * units.alu;
  free_.load -= sign * units.load;
  free_.store -= sign * units.store;
  free_.multiply -= sign * units.multiply;
  free_.divide -= sign * units.divide;
}

}  // namespace sandglass::test
