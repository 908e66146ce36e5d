#include "sandbox/compiler/compiler.h"

#include <cpuid.h>

#include <algorithm>

#include "sandbox/compiler/meters.h"
#include "sandbox/compiler/translator.h"
#include "sandbox/compiler/translator_tail.h"

namespace sandglass {

void CompilerScratch::reset(size_t code_bytes) {
  labels.reset(code_bytes);
  fixups.clear();
  blocks.clear();
  folded.clear();
  pairs.clear();
  rare_divisions.clear();
}

CompilerScratch& CompilerScratch::of_this_thread() {
  thread_local CompilerScratch scratch;
  return scratch;
}

namespace {

// No byte of guest code becomes more machine code than this, all that is written behind the code included.
constexpr uint64_t kMaxNativeBytesPerCodeByte = 64;

// What rel32 and the tables' 32-bit offsets can reach, whatever the options allow.
constexpr uint64_t kMaxBufferBytes = GiB(2) - KiB(64);

// Address space to emit into. Only what is written costs memory.
size_t buffer_bytes(const Program& program, const ModuleOptions& options) {
  const uint64_t worst = uint64_t{program.code_bytes()} * kMaxNativeBytesPerCodeByte + KiB(64);
  const uint64_t allowed = std::min<uint64_t>(options.max_native_bytes, kMaxBufferBytes) + kLimitSlackBytes;
  return round_up(std::min(worst, allowed), kMinPageBytes);
}

// How much machine code comes of ten bytes of compiled C.
constexpr size_t kUnmeteredBytesPerTen = 24, kMeteredBytesPerTen = 33;

// The part of the buffer that is worth huge pages: all of the code, to the nearest one. What the last one
// holds too much stays with the process until memory gets scarce.
size_t huge_bytes(const Program& program, GasMetering gas) {
  const size_t per_ten = gas == GasMetering::kNone ? kUnmeteredBytesPerTen : kMeteredBytesPerTen;
  const size_t expected = program.code_bytes() * per_ten / 10;
  return round_down(expected + kHugePageBytes / 2, kHugePageBytes);
}

Result<Mapping> make_buffer(const Program& program, const ModuleOptions& options) {
  const size_t bytes = buffer_bytes(program, options);
  const size_t huge = std::min(huge_bytes(program, options.gas), round_down(bytes, kHugePageBytes));
  return huge == 0 ? Mapping::anonymous(bytes) : Mapping::anonymous_huge(bytes, huge);
}

template <bool is_64, class Meter, GasMetering gas>
Result<std::unique_ptr<NativeCode>> compile_with(const Program& program, const ModuleOptions& options) {
  Mapping code = SG_TRY(make_buffer(program, options));
  Translator<is_64, Meter, gas> translator(program, options, code, CompilerScratch::of_this_thread());
  const size_t used_bytes = translator.translate();
  if (used_bytes == 0) {
    return Error::make(ErrorKind::kExhausted, "the machine code would be larger than max_native_bytes",
                       options.max_native_bytes);
  }
  return NativeCode::create(program, options.step_tracing, std::move(code), used_bytes,
                            translator.take_tables());
}

template <bool is_64, GasMetering gas>
Result<std::unique_ptr<NativeCode>> compile_metered(const Program& program, const ModuleOptions& options) {
  switch (options.cost_model.kind()) {
    case CostModel::Kind::kNaive: return compile_with<is_64, NaiveMeter, gas>(program, options);
    case CostModel::Kind::kTable: return compile_with<is_64, TableMeter, gas>(program, options);
    case CostModel::Kind::kPipeline: return compile_with<is_64, PipelineMeter, gas>(program, options);
  }
  return Error::make(ErrorKind::kInvalidArgument, "no such cost model");
}

template <bool is_64>
Result<std::unique_ptr<NativeCode>> compile_for_width(const Program& program, const ModuleOptions& options) {
  switch (options.gas) {
    case GasMetering::kNone: return compile_with<is_64, NoMeter, GasMetering::kNone>(program, options);
    case GasMetering::kSync: return compile_metered<is_64, GasMetering::kSync>(program, options);
    case GasMetering::kAsync: return compile_metered<is_64, GasMetering::kAsync>(program, options);
  }
  return Error::make(ErrorKind::kInvalidArgument, "no such kind of gas metering");
}

// clang 14 does not know "lzcnt" as a name for __builtin_cpu_supports.
bool cpu_has_lzcnt() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(0x8000'0001, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_LZCNT) != 0;
}

}  // namespace

Result<std::unique_ptr<NativeCode>> compile(const Program& program, const ModuleOptions& options) {
  // Asked once: the CPUID behind it can take microseconds in a virtual machine.
  static const bool cpu_is_fine = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                                  __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("ssse3") &&
                                  cpu_has_lzcnt();
  if (!cpu_is_fine) {
    return Error::make(
        ErrorKind::kUnsupported,
        "the recompiler needs a CPU with BMI1, BMI2, LZCNT, POPCNT and SSSE3; use the interpreter");
  }
  return program.is_64_bit() ? compile_for_width<true>(program, options)
                             : compile_for_width<false>(program, options);
}

}  // namespace sandglass
