#include "bench/code_layout.h"

#include <algorithm>

#include "sandbox/base/check.h"

namespace sandglass::bench {

CodeLayout::CodeLayout(std::vector<CodeItem>& items, InstructionSet set)
    : items_(items), set_(set), offsets_(items.size() + 1), lengths_(items.size(), 1) {
  place();
  while (grow()) place();
}

void CodeLayout::place() {
  for (size_t i = 0; i < items_.size(); ++i) offsets_[i + 1] = offsets_[i] + lengths_[i];
}

bool CodeLayout::grow() {
  bool has_grown = false;
  for (size_t i = 0; i < items_.size(); ++i) {
    uint8_t buffer[kMaxInstructionBytes];
    const size_t needed = encode(i, buffer);
    has_grown |= needed > lengths_[i];
    lengths_[i] = std::max(lengths_[i], static_cast<uint8_t>(needed));
  }
  return has_grown;
}

// Writes at least lengths_[i] bytes; returns how many were needed.
size_t CodeLayout::encode(size_t i, uint8_t* buffer) {
  Instruction& in = items_[i].in;
  in.pc = offsets_[i];
  if (items_[i].target != kNoTarget) in.target = offsets_[items_[i].target];
  const size_t needed = encode_instruction(in, set_, buffer);
  SG_CHECK(needed != 0);
  const uint8_t sign = in.target < in.pc ? 0xff : 0;
  for (size_t byte = needed; byte < lengths_[i]; ++byte) buffer[byte] = sign;
  return needed;
}

void CodeLayout::emit(ProgramParts& parts) {
  parts.instruction_set = set_;
  parts.code.resize(offsets_.back());
  parts.bitmask.assign((parts.code.size() + 7) / 8, 0);
  for (size_t i = 0; i < items_.size(); ++i) {
    uint8_t buffer[kMaxInstructionBytes];
    encode(i, buffer);
    std::copy_n(buffer, lengths_[i], parts.code.begin() + offsets_[i]);
    parts.bitmask[offsets_[i] / 8] |= static_cast<uint8_t>(1u << (offsets_[i] % 8));
  }
}

}  // namespace sandglass::bench
