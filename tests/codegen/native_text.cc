#include "tests/codegen/native_text.h"

#include <capstone/capstone.h>

#include <cstdio>

#include "sandbox/compiler/native_code.h"
#include "sandbox/program/instruction_text.h"

namespace sandglass::codegen {
namespace {

class Disassembler {
 public:
  Disassembler() {
    SG_CHECK(cs_open(CS_ARCH_X86, CS_MODE_64, &handle_) == CS_ERR_OK);
    SG_CHECK(cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK);
    instruction_ = cs_malloc(handle_);
  }
  ~Disassembler() {
    cs_free(instruction_, 1);
    cs_close(&handle_);
  }
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  // The instruction at `code + offset`; nothing when there is none.
  const cs_insn* at(const uint8_t* code, size_t size_bytes, uint64_t offset) {
    const uint8_t* bytes = code + offset;
    size_t left = size_bytes - offset;
    return cs_disasm_iter(handle_, &bytes, &left, &offset, instruction_) ? instruction_ : nullptr;
  }
  // Whether the operand is a place in the code: that of a jump or call, or one that is pushed for a routine.
  bool is_place(const cs_insn& in) const {
    const cs_x86& x86 = in.detail->x86;
    return (cs_insn_group(handle_, &in, CS_GRP_JUMP) || cs_insn_group(handle_, &in, CS_GRP_CALL) ||
            in.id == X86_INS_PUSH) &&
           x86.op_count == 1 && x86.operands[0].type == X86_OP_IMM;
  }

 private:
  csh handle_ = 0;
  cs_insn* instruction_ = nullptr;
};

struct RoutineName {
  uint32_t Trampolines::*offset;
  const char* name;
};
constexpr RoutineName kRoutines[] = {{&Trampolines::trap_instruction, "<trap_instruction>"},
                                     {&Trampolines::invalid_instruction, "<invalid_instruction>"},
                                     {&Trampolines::invalid_jump, "<invalid_jump>"},
                                     {&Trampolines::host_call, "<host_call>"},
                                     {&Trampolines::out_of_gas, "<out_of_gas>"},
                                     {&Trampolines::step, "<step>"},
                                     {&Trampolines::sbrk, "<sbrk>"},
                                     {&Trampolines::memset, "<memset>"}};

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

// Between blocks; never executed.
constexpr uint8_t kPadding = 0xcc;

class NativeText {
 public:
  explicit NativeText(const Module& module)
      : program_(module.program()), code_(*module.native_code()), routines_(code_.tables().trampolines) {}

  std::string write() {
    const size_t end = code_.size_bytes();
    for (uint64_t offset = routines_.end; offset < end;) {
      begin_instruction(static_cast<uint32_t>(offset));
      const cs_insn* in = disassembler_.at(code_.code(), end, offset);
      if (in == nullptr) return text_ + "not an instruction\n";
      std::string place = hex(offset - routines_.end);
      place.insert(0, place.size() < 4 ? 4 - place.size() : 0, ' ');
      if (in->id == X86_INS_INT3) {
        while (offset < end && code_.code()[offset] == kPadding) ++offset;
        text_ += place + " padding to +" + hex(offset - routines_.end) + '\n';
        continue;
      }
      text_ += place + " " + in->mnemonic;
      if (in->op_str[0] != '\0') text_ += " " + operands_of(*in);
      text_ += '\n';
      offset += in->size;
    }
    return std::move(text_);
  }

 private:
  void begin_instruction(uint32_t offset) {
    const std::optional<NativeCode::Place> place = code_.find(offset);
    const std::string title = place ? guest_text(place->pc) : "out of line";
    // The same one again, when another copy of it begins.
    if (title == title_ && !(place && place->native_begin == offset)) return;
    title_ = title;
    text_ += "@" + title + "\n";
  }

  std::string guest_text(uint32_t pc) const {
    std::string text = std::to_string(pc) + " ";
    const InstructionContext context = {.set = program_.instruction_set()};
    if (!append_instruction_text(text, program_.decode(pc), context)) text += "invalid";
    return text;
  }

  std::string operands_of(const cs_insn& in) const {
    if (!disassembler_.is_place(in)) return in.op_str;
    const auto target = static_cast<uint64_t>(in.detail->x86.operands[0].imm);
    for (const RoutineName& routine : kRoutines) {
      if (target == routines_.*routine.offset) return routine.name;
    }
    return target >= routines_.end ? "+" + hex(target - routines_.end) : "<unknown routine>";
  }

  const Program& program_;
  const NativeCode& code_;
  const Trampolines& routines_;
  Disassembler disassembler_;
  std::string text_, title_;
};

}  // namespace

std::string native_text(const Module& module) { return NativeText(module).write(); }

}  // namespace sandglass::codegen
