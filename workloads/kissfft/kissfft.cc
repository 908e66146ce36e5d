// Fourier transforms in fixed point, there and back: workloads/kissfft/README.md.
#include <kiss_fft.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kSize = 4096;

kiss_fft_cpx signal[kSize], spectrum[kSize], returned[kSize];

// Below half of what 32 bits hold, so that no sum on the way overflows.
void make_signal(uint64_t seed) {
  Random random(seed);
  for (kiss_fft_cpx& sample : signal) {
    uint64_t word = random.next();
    sample.r = static_cast<int32_t>(word >> 32) / 2;
    sample.i = static_cast<int32_t>(word) / 2;
  }
}

bool is_near(int32_t returned, int32_t sample) {
  constexpr int32_t kRounding = 16;  // one unit for each of the twelve stages, and some
  int32_t distance = returned - sample / kSize;
  return -kRounding <= distance && distance <= kRounding;
}

// Each direction divides by kSize on the way, so as not to overflow: a signal comes back divided by it.
bool came_back() {
  for (int i = 0; i < kSize; i++) {
    if (!is_near(returned[i].r, signal[i].r) || !is_near(returned[i].i, signal[i].i)) return false;
  }
  return true;
}

void add(Checksum& checksum, const kiss_fft_cpx* samples) {
  for (int i = 0; i < kSize; i++) {
    checksum.add(static_cast<uint64_t>(static_cast<uint32_t>(samples[i].r)) << 32 |
                 static_cast<uint32_t>(samples[i].i));
  }
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  kiss_fft_cfg forward = kiss_fft_alloc(kSize, 0, nullptr, nullptr);
  kiss_fft_cfg inverse = kiss_fft_alloc(kSize, 1, nullptr, nullptr);
  if (forward == nullptr || inverse == nullptr) return 0;
  Checksum checksum;
  bool is_right = true;
  for (uint64_t round = 0; round < rounds && is_right; round++) {
    make_signal(round);
    kiss_fft(forward, signal, spectrum);
    kiss_fft(inverse, spectrum, returned);
    is_right = came_back();
    add(checksum, spectrum);
    add(checksum, returned);
  }
  kiss_fft_free(forward);
  kiss_fft_free(inverse);
  return is_right ? checksum.value() : 0;
}
SANDGLASS_EXPORT(run)
