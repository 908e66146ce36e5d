#include "bench/encoder_sequence.h"

#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "bench/random.h"
#include "sandbox/base/mapping.h"
#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

constexpr uint8_t kValues[] = {x64::rax, x64::rcx, x64::rdx, x64::rdi, x64::r9, x64::r10, x64::r11};
// Never written by the sequence: each points 2 KiB or more inside the buffer. Both are caller-saved.
constexpr uint8_t kBases[] = {x64::rsi, x64::r8};
constexpr int32_t kBaseValues[] = {2048, 6144};
constexpr size_t kBufferBytes = KiB(8);
constexpr int32_t kReach = 1500;     // of displacements; half of them fit into one byte
constexpr int32_t kResults = -2048;  // where the registers are stored in the end, relative to rsi

constexpr uint16_t kWeights[] = {
#define SG_FORM(name, weight, ...) weight,
    SG_ENCODER_FORMS(SG_FORM)
#undef SG_FORM
};

FormId draw_form(Random& random) {
  uint32_t sum = 0;
  for (const uint16_t weight : kWeights) sum += weight;
  uint32_t ticket = random.below(sum);
  size_t form = 0;
  while (ticket >= kWeights[form]) ticket -= kWeights[form++];
  return static_cast<FormId>(form);
}

int32_t draw_value(Random& random) {
  const uint32_t kind = random.below(100);
  if (kind < 62) return random.between(-128, 127);
  return kind < 92 ? random.between(-32768, 32767) : static_cast<int32_t>(random.next());
}

EncoderOp draw_op(Random& random) {
  const auto value_reg = [&] { return kValues[random.below(std::size(kValues))]; };
  EncoderOp op{.form = draw_form(random), .a = value_reg(), .b = value_reg(), .value = draw_value(random)};
  switch (op.form) {
    case FormId::kLoad64:
    case FormId::kLoadSigned32:
    case FormId::kLoadByte:
    case FormId::kStore64:
    case FormId::kStore32:
      op.b = kBases[random.below(std::size(kBases))];
      op.value = random.chance(50) ? random.between(-128, 127) : random.between(-kReach, kReach);
      return op;
    case FormId::kShiftLeft:
    case FormId::kShiftRight32: op.value = random.between(1, 31); return op;
    case FormId::kConstant:
      op.value |= 1;  // not 0: some write that as an xor, which changes flags, and others do not
      return op;
    default: return op;
  }
}

bool is_jump(FormId form) { return form == FormId::kJumpNotEqual || form == FormId::kJumpBelow; }

void set_registers(std::vector<EncoderOp>& ops) {
  uint32_t value = 0x1234567;
  for (const uint8_t reg : kValues) {
    value *= 3;
    ops.push_back({FormId::kConstant, reg, 0, static_cast<int32_t>(value)});
  }
  for (size_t i = 0; i < std::size(kBases); ++i) {
    ops.push_back({FormId::kConstant, kBases[i], 0, kBaseValues[i]});
  }
}

void store_registers(std::vector<EncoderOp>& ops) {
  int32_t at = kResults;
  for (const uint8_t reg : kValues) {
    ops.push_back({FormId::kStore64, reg, kBases[0], at});
    at += 8;
  }
}

// The address of this thread's gs base while it lives.
class GsBase {
 public:
  explicit GsBase(void* base) {
    syscall(SYS_arch_prctl, ARCH_GET_GS, &old_);
    syscall(SYS_arch_prctl, ARCH_SET_GS, base);
  }
  ~GsBase() { syscall(SYS_arch_prctl, ARCH_SET_GS, old_); }
  GsBase(const GsBase&) = delete;

 private:
  unsigned long old_ = 0;
};

}  // namespace

std::vector<EncoderOp> make_encoder_sequence(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<EncoderOp> ops;
  set_registers(ops);
  uint32_t until_bind = 0;  // instructions that the open jump may skip; 0: none is open
  for (size_t i = 0; i < count; ++i) {
    EncoderOp op = draw_op(random);
    while (until_bind > 0 && is_jump(op.form)) op = draw_op(random);  // one at a time
    ops.push_back(op);
    if (is_jump(op.form))
      until_bind = 2 + random.below(6);
    else if (until_bind > 0 && --until_bind == 0)
      ops.push_back({FormId::kBind});
  }
  if (until_bind > 0) ops.push_back({FormId::kBind});
  store_registers(ops);
  return ops;
}

Result<std::vector<uint8_t>> run_encoded(std::span<const uint8_t> code) {
  Mapping executable = SG_TRY(Mapping::anonymous(round_up(code.size(), KiB(4))));
  std::memcpy(executable.data(), code.data(), code.size());
  if (mprotect(executable.data(), executable.size_bytes(), PROT_READ | PROT_EXEC) != 0) {
    return Error::os("make the encoded instructions executable");
  }
  std::vector<uint8_t> buffer(kBufferBytes, 0x5a);
  const GsBase gs(buffer.data());
  reinterpret_cast<void (*)()>(executable.data())();
  return buffer;
}

}  // namespace sandglass::bench
