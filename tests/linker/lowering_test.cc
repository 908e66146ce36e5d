// Lowering: what each instruction becomes does what RISC-V says, also with the zero register in every place,
// with operands that are the same register, and without touching any other register.
#include "workloads/linker/lowering.h"

#include <gtest/gtest.h>

#include <array>

#include "sandbox/backend/sandbox.h"
#include "sandbox/program/code_builder.h"
#include "tests/linker/riscv_model.h"
#include "tests/linker/riscv_text.h"

namespace sandglass::linker {
namespace {

constexpr uint64_t kValues[] = {0,
                                1,
                                63,
                                0x80,
                                0x7fffffff,
                                0xffffffff80000000,
                                0x0102030400050607,
                                0x8000000000000000,
                                0xffffffffffffffff};
// zero, t0, a0, a1: t0 is what is borrowed first.
constexpr uint8_t kRegs[] = {0, 5, 10, 11};
constexpr uint32_t kRwBegin = 0x20000;
constexpr uint32_t kStart = 0;

using Regs = std::array<uint64_t, 16>;  // by RISC-V number; 3 and 4 are not there

// The lines, and then the end of the program.
std::unique_ptr<Sandbox> machine_for(const std::vector<Line>& lines) {
  CodeBuilder builder(InstructionSet::kLatest64);
  std::vector<CodePosition> labels;
  for (const Line& line : lines) {
    if (line.target == kNowhere) {
      builder.add(line.in);
    } else {
      builder.add_jump(line.in, 0);
    }
  }
  const auto finish = [&](uint64_t result) {
    // Not through ra, which may have been overwritten.
    builder.add({.opcode = Opcode::kStoreImmU64, .offset = kRwBegin + 0x800, .imm = result});
    builder.add({.opcode = Opcode::kTrap});
  };
  finish(1);
  labels.push_back(builder.here());
  finish(2);
  auto code = builder.finish(labels).value();
  ProgramParts parts{.rw_data_bytes = 4096,
                     .stack_bytes = 4096,
                     .code = std::move(code.bytes),
                     .bitmask = std::move(code.bitmask)};
  auto program = Program::from_parts(std::move(parts)).value();
  return Sandbox::create(Module::create(program, {.backend = Backend::kInterpreter}).value()).value();
}

uint64_t read_u64(const Sandbox& sandbox, uint32_t address) {
  uint64_t value = 0;
  sandbox.read(address, {reinterpret_cast<uint8_t*>(&value), sizeof value}).value();
  return value;
}
void write_u64(Sandbox& sandbox, uint32_t address, uint64_t value) {
  sandbox.write(address, {reinterpret_cast<const uint8_t*>(&value), sizeof value}).value();
}

// Runs from the registers to the end; says which end it was (1: behind the lines, 2: jumped).
uint64_t run(Sandbox& sandbox, Regs& regs) {
  sandbox.prepare_call(kStart).value();
  regs[2] = sandbox.reg(Reg::sp);
  for (uint8_t x = 1; x < 16; ++x) {
    if (is_guest_register(x) && x != 2) sandbox.set_reg(reg_of(x), regs[x]);
  }
  const Interrupt stop = sandbox.run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(stop.trap, TrapKind::kInstruction);
  for (uint8_t x = 1; x < 16; ++x) {
    if (is_guest_register(x)) regs[x] = sandbox.reg(reg_of(x));
  }
  return read_u64(sandbox, kRwBegin + 0x800);
}

Regs some_regs() {
  Regs regs{};
  for (uint8_t x = 1; x < 16; ++x) regs[x] = is_guest_register(x) ? 0x1111111111111111u * x : 0;
  return regs;
}

std::vector<Line> lowered(const RiscvInstruction& in) {
  std::vector<Line> lines;
  LineWriter out(lines, 0);
  lower(in, out);
  return lines;
}

void expect_registers(const RiscvInstruction& in, Regs expected, const Regs& got, uint64_t result) {
  if (in.rd != 0) expected[in.rd] = result;
  expected[2] = got[2];
  EXPECT_EQ(got, expected) << riscv_text(in);
}

void check_result(const RiscvInstruction& in) {
  const auto sandbox = machine_for(lowered(in));
  for (const uint64_t a : kValues) {
    for (const uint64_t b : kValues) {
      Regs regs = some_regs();
      if (in.rs1 != 0) regs[in.rs1] = a;
      if (in.rs2 != 0) regs[in.rs2] = b;
      const uint64_t expected = riscv_result(in, regs[in.rs1], regs[in.rs2], regs[in.rd]);
      const Regs before = regs;
      run(*sandbox, regs);
      expect_registers(in, before, regs, expected);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(Lowering, ComputesWhatRiscvComputes) {
  size_t rows = 0;
  for (size_t i = 0; i < kRiscvOpCount; ++i) {
    const auto op = static_cast<RiscvOp>(i);
    const RiscvForm form = kRiscvOps[i].form;
    const bool is_imm = form == RiscvForm::Imm && op != RiscvOp::kJalr;
    const bool is_shift = form == RiscvForm::Shift64 || form == RiscvForm::Shift32;
    const bool is_unary = form == RiscvForm::Unary && op != RiscvOp::kSbrk;
    if (!is_imm && !is_shift && !is_unary && form != RiscvForm::Reg) continue;
    ++rows;
    for (const uint8_t rd : kRegs) {
      for (const uint8_t rs1 : kRegs) {
        for (const uint8_t rs2 : kRegs) {
          if (form == RiscvForm::Reg) check_result({.op = op, .rd = rd, .rs1 = rs1, .rs2 = rs2});
        }
        if (is_unary) check_result({.op = op, .rd = rd, .rs1 = rs1});
        for (const int32_t imm : {0, 1, 31, 63, 2047, -1, -2048}) {
          const int32_t limit = form == RiscvForm::Shift32 ? 31 : 63;
          if (is_imm || (is_shift && imm >= 0 && imm <= limit))
            check_result({.op = op, .rd = rd, .rs1 = rs1, .imm = imm});
        }
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_EQ(rows, 67u);
}

bool is_taken(RiscvOp op, uint64_t a, uint64_t b) {
  switch (op) {
    case RiscvOp::kBeq: return a == b;
    case RiscvOp::kBne: return a != b;
    case RiscvOp::kBlt: return static_cast<int64_t>(a) < static_cast<int64_t>(b);
    case RiscvOp::kBge: return static_cast<int64_t>(a) >= static_cast<int64_t>(b);
    case RiscvOp::kBltu: return a < b;
    default: return a >= b;
  }
}

TEST(Lowering, BranchesWhereRiscvBranches) {
  for (const RiscvOp op :
       {RiscvOp::kBeq, RiscvOp::kBne, RiscvOp::kBlt, RiscvOp::kBge, RiscvOp::kBltu, RiscvOp::kBgeu}) {
    for (const uint8_t rs1 : kRegs) {
      for (const uint8_t rs2 : kRegs) {
        const RiscvInstruction in = {.op = op, .rs1 = rs1, .rs2 = rs2};
        std::vector<Line> lines;
        LineWriter out(lines, 0);
        lower_branch(in, 0x70000000, out);
        const auto sandbox = machine_for(lines);
        for (const uint64_t a : kValues) {
          for (const uint64_t b : kValues) {
            Regs regs = some_regs();
            if (rs1 != 0) regs[rs1] = a;
            if (rs2 != 0) regs[rs2] = b;
            const bool taken = is_taken(op, regs[rs1], regs[rs2]);
            const Regs before = regs;
            ASSERT_EQ(run(*sandbox, regs), taken ? 2u : 1u) << riscv_text(in);
            expect_registers(in, before, regs, 0);
          }
        }
      }
    }
  }
}

constexpr uint32_t kCell = kRwBegin + 0x100;

bool is_wide(RiscvOp op) { return (info_of(op).match >> 12 & 7) == 3; }

void check_amo(const RiscvInstruction& in, uint64_t old, uint64_t b) {
  const auto sandbox = machine_for(lowered(in));
  Regs regs = some_regs();
  if (in.rs2 != 0) regs[in.rs2] = b;
  regs[in.rs1] = kCell;
  write_u64(*sandbox, kCell, old);
  const uint64_t operand = regs[in.rs2];
  const uint64_t full = riscv_amo_result(in.op, old, operand);
  const uint64_t stored = is_wide(in.op) ? full : (old & 0xffffffff00000000) | static_cast<uint32_t>(full);
  const uint64_t loaded =
      is_wide(in.op) ? old : static_cast<uint64_t>(static_cast<int32_t>(static_cast<uint32_t>(old)));
  const Regs before = regs;
  run(*sandbox, regs);
  EXPECT_EQ(read_u64(*sandbox, kCell), stored) << riscv_text(in);
  expect_registers(in, before, regs, loaded);
}

TEST(Lowering, AtomicsDoWhatRiscvDoes) {
  for (size_t i = 0; i < kRiscvOpCount; ++i) {
    const auto op = static_cast<RiscvOp>(i);
    if (kRiscvOps[i].form != RiscvForm::Atomic || kRiscvOps[i].opcode == Opcode::kInvalid) continue;
    for (const uint8_t rd : kRegs) {
      for (const uint8_t rs1 : {5, 10, 11}) {
        for (const uint8_t rs2 : kRegs) {
          for (const uint64_t old : kValues) {
            for (const uint64_t b : kValues)
              check_amo({.op = op, .rd = rd, .rs1 = static_cast<uint8_t>(rs1), .rs2 = rs2}, old, b);
          }
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(Lowering, StoreConditionalAlwaysSucceeds) {
  for (const uint8_t rd : kRegs) {
    for (const uint8_t rs2 : kRegs) {
      const RiscvInstruction in = {.op = RiscvOp::kScD, .rd = rd, .rs1 = 10, .rs2 = rs2};
      const auto sandbox = machine_for(lowered(in));
      Regs regs = some_regs();
      regs[10] = kCell;
      const Regs before = regs;
      run(*sandbox, regs);
      EXPECT_EQ(read_u64(*sandbox, kCell), before[rs2]) << riscv_text(in);
      expect_registers(in, before, regs, 0);
    }
  }
}

struct LoadCase {
  RiscvOp op;
  uint64_t expected;
};

TEST(Lowering, LoadsExtend) {
  constexpr uint64_t kContent = 0x8182838485868788;
  for (const LoadCase& c : {LoadCase{RiscvOp::kLb, 0xffffffffffffff88},
                            {RiscvOp::kLh, 0xffffffffffff8788},
                            {RiscvOp::kLw, 0xffffffff85868788},
                            {RiscvOp::kLd, kContent},
                            {RiscvOp::kLbu, 0x88},
                            {RiscvOp::kLhu, 0x8788},
                            {RiscvOp::kLwu, 0x85868788},
                            {RiscvOp::kLrW, 0xffffffff85868788},
                            {RiscvOp::kLrD, kContent}}) {
    for (const uint8_t rd : kRegs) {
      const bool is_reserved = info_of(c.op).form == RiscvForm::Atomic;
      const RiscvInstruction in = {.op = c.op, .rd = rd, .rs1 = 10, .imm = is_reserved ? 0 : -16};
      const auto sandbox = machine_for(lowered(in));
      Regs regs = some_regs();
      regs[10] = kCell + (is_reserved ? 0 : 16);
      write_u64(*sandbox, kCell, kContent);
      const Regs before = regs;
      run(*sandbox, regs);
      expect_registers(in, before, regs, c.expected);
    }
  }
}

TEST(Lowering, ALoadIntoZeroStillTouchesItsAddress) {
  const auto sandbox = machine_for(lowered({.op = RiscvOp::kLw, .rs1 = 10}));
  sandbox->prepare_call(kStart).value();
  sandbox->set_reg(Reg::a0, 0x100);
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
  EXPECT_EQ(stop.fault.address, 0x100u);
}

TEST(Lowering, StoresWriteTheirWidth) {
  struct Case {
    RiscvOp op;
    uint64_t mask;
  };
  for (const Case& c : {Case{RiscvOp::kSb, 0xff},
                        {RiscvOp::kSh, 0xffff},
                        {RiscvOp::kSw, 0xffffffff},
                        {RiscvOp::kSd, ~uint64_t{0}}}) {
    for (const uint8_t rs2 : kRegs) {
      const RiscvInstruction in = {.op = c.op, .rs1 = 10, .rs2 = rs2, .imm = 24};
      const auto sandbox = machine_for(lowered(in));
      Regs regs = some_regs();
      regs[10] = kCell - 24;
      write_u64(*sandbox, kCell, 0x4242424242424242);
      const Regs before = regs;
      run(*sandbox, regs);
      EXPECT_EQ(read_u64(*sandbox, kCell), (0x4242424242424242 & ~c.mask) | (before[rs2] & c.mask))
          << riscv_text(in);
      expect_registers(in, before, regs, 0);
    }
  }
}

// Below 64 KiB and at the top nobody has memory: all that shows is which address it was.
TEST(Lowering, WithoutABaseTheOffsetIsTheAddress) {
  for (const RiscvOp op : {RiscvOp::kLd, RiscvOp::kSd, RiscvOp::kSb}) {
    for (const uint8_t other : {0, 10}) {
      const bool is_load = op == RiscvOp::kLd;
      RiscvInstruction in = {.op = op, .imm = -16};
      (is_load ? in.rd : in.rs2) = other;
      const auto sandbox = machine_for(lowered(in));
      sandbox->prepare_call(kStart).value();
      const Interrupt stop = sandbox->run().value();
      EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess) << riscv_text(in);
      EXPECT_EQ(stop.fault.address, 0xfffffff0u) << riscv_text(in);
    }
  }
}

TEST(Lowering, SbrkGrowsTheHeap) {
  for (const uint8_t rd : kRegs) {
    for (const uint8_t rs1 : kRegs) {
      const RiscvInstruction in = {.op = RiscvOp::kSbrk, .rd = rd, .rs1 = rs1};
      const auto sandbox = machine_for(lowered(in));
      Regs regs = some_regs();
      if (rs1 != 0) regs[rs1] = 256;
      const Regs before = regs;
      run(*sandbox, regs);
      EXPECT_EQ(sandbox->heap_bytes(), rs1 != 0 ? 256u : 0u);
      expect_registers(in, before, regs, sandbox->module().memory_map().heap_base() + sandbox->heap_bytes());
    }
  }
}

TEST(Lowering, FencesAreNothing) {
  EXPECT_TRUE(lowered({.op = RiscvOp::kFence}).empty());
  EXPECT_TRUE(lowered({.op = RiscvOp::kFenceI}).empty());
}

}  // namespace
}  // namespace sandglass::linker
