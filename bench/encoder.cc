// Question: which x86-64 encoder does the compiler want?
// Unit:     ns_per_instruction, machine instructions; bytes_per_instruction beside it.
// Timed:    writing 256 instructions, or 4,096, more than a branch predictor learns by heart, into a buffer.
//           They are drawn from 26 forms that the compiler uses: moves, arithmetic, addresses, loads and
//           stores through gs, shifts, constants, and forward branches whose target is bound a few
//           instructions later. own: sandbox/compiler/x64_encoder.h; asmjit, xbyak: the libraries, where they
//           were found at build time; none: the dispatch over the forms, which is part of every other figure.
// Not timed: drawing the sequence. What each encoder writes is verified by running it: the registers and the
//           memory must end up the same for all.
#include <fmt/format.h>

#include "bench/encoder_sequence.h"
#include "bench/encoders.h"
#include "bench/families.h"

namespace sandglass::bench {
namespace {

constexpr size_t kLengths[] = {256, 4096};

struct EncoderCase {
  std::string_view name;
  std::unique_ptr<EncoderUnderTest> (*make)();
};
constexpr EncoderCase kEncoders[] = {
    {"own", make_own_encoder},
#if SANDGLASS_HAVE_ASMJIT
    {"asmjit", make_asmjit_encoder},
#endif
#if SANDGLASS_HAVE_XBYAK
    {"xbyak", make_xbyak_encoder},
#endif
};

class Encode {
 public:
  static Result<std::unique_ptr<Encode>> create(const EncoderCase& encoder, uint64_t seed, size_t length) {
    std::unique_ptr<Encode> encode(new Encode(encoder.make(), make_encoder_sequence(seed, length)));
    const auto reference = make_own_encoder();
    const auto expected = SG_TRY(run_encoded(reference->encode(encode->ops_)));
    const auto code = encode->encoder_->encode(encode->ops_);
    encode->code_bytes_ = code.size();
    if (SG_TRY(run_encoded(code)) == expected) return encode;
    return Error::make(ErrorKind::kBadProgram, "a wrong answer: the code does something else");
  }

  bool run() { return encoder_->encode(ops_).size() == code_bytes_; }
  void report(benchmark::State& state) const {
    const auto count = static_cast<double>(ops_.size());
    state.counters["bytes_per_instruction"] = static_cast<double>(code_bytes_) / count;
    state.counters["ns_per_instruction"] = ns_per(count);
  }

 private:
  Encode(std::unique_ptr<EncoderUnderTest> encoder, std::vector<EncoderOp> ops)
      : encoder_(std::move(encoder)), ops_(std::move(ops)) {}

  std::unique_ptr<EncoderUnderTest> encoder_;
  std::vector<EncoderOp> ops_;
  size_t code_bytes_ = 0;
};

// The dispatch alone: sums up what the encoders would be given.
class Dispatch {
 public:
  static Result<std::unique_ptr<Dispatch>> create(uint64_t seed, size_t length) {
    return std::unique_ptr<Dispatch>(new Dispatch(make_encoder_sequence(seed, length)));
  }
  bool run() { return dispatch_only(ops_) == expected_; }
  void report(benchmark::State& state) const {
    state.counters["ns_per_instruction"] = ns_per(static_cast<double>(ops_.size()));
  }

 private:
  explicit Dispatch(std::vector<EncoderOp> ops) : ops_(std::move(ops)) { expected_ = dispatch_only(ops_); }

  std::vector<EncoderOp> ops_;
  uint64_t expected_;
};

}  // namespace

void add_encoder(Suite& suite) {
  for (const size_t length : kLengths) {
    const uint64_t seed = suite.seed();
    suite.add(fmt::format("encoder/none/sequence/{}", length),
              [=] { return Dispatch::create(seed, length); });
    for (const EncoderCase& encoder : kEncoders) {
      suite.add(fmt::format("encoder/{}/sequence/{}", encoder.name, length),
                [=, &encoder] { return Encode::create(encoder, seed, length); });
    }
  }
}

}  // namespace sandglass::bench
