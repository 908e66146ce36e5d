// A chain of products of matrices of integers, in three plain loops: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kSize = 128;
using Matrix = uint32_t[kSize][kSize];

Matrix left, right, product;

// Every row of `right` is walked in order: the inner loop loads, multiplies, adds and stores.
void multiply() {
  memset(product, 0, sizeof(product));
  for (int row = 0; row < kSize; row++) {
    for (int inner = 0; inner < kSize; inner++) {
      uint32_t factor = left[row][inner];
      for (int column = 0; column < kSize; column++) product[row][column] += factor * right[inner][column];
    }
  }
}

void fill(Matrix& matrix, uint64_t seed) {
  Random random(seed);
  for (auto& row : matrix) {
    for (uint32_t& number : row) number = static_cast<uint32_t>(random.next() >> 32);
  }
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  fill(left, 0);
  for (uint64_t round = 0; round < rounds; round++) {
    fill(right, 1 + round);
    multiply();
    memcpy(left, product, sizeof(left));
    for (const auto& row : product) {
      for (uint32_t number : row) checksum.add(number);
    }
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
