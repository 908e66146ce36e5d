// A chain of quantised matrix products, as a neural network makes them: workloads/eigen_int8/README.md.
#include <Eigen/Core>

#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kSize = 128;
using Quantised = Eigen::Matrix<int8_t, kSize, kSize>;
using Sums = Eigen::Matrix<int32_t, kSize, kSize>;

// Static: 128 KiB of a stack would be too much. Eigen wants its constructors run, which do nothing here.
Quantised weights, activations;
Sums sums;

void fill(Quantised& matrix, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < matrix.size(); i++) matrix.data()[i] = static_cast<int8_t>(random.next() >> 56);
}

int8_t requantise(int32_t sum) {
  int32_t scaled = sum >> 8;
  return static_cast<int8_t>(scaled < -128 ? -128 : scaled > 127 ? 127 : scaled);
}

}  // namespace

extern "C" uint64_t run(uint64_t layers) {
  fill(activations, 1);
  Checksum checksum;
  for (uint64_t layer = 0; layer < layers; layer++) {
    fill(weights, 2 + layer);
    sums.noalias() = weights.cast<int32_t>() * activations.cast<int32_t>();
    activations = sums.unaryExpr(&requantise);
    for (int i = 0; i < sums.size(); i++) checksum.add(static_cast<uint32_t>(sums.data()[i]));
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
