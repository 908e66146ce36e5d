// Products and a linear system in single precision: workloads/eigen_float/README.md.
#include <Eigen/LU>

#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

using Matrix = Eigen::MatrixXf;

// From -1 to 1, exact in 24 bits.
void fill(Matrix& matrix, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < matrix.size(); i++) {
    int32_t number = static_cast<int32_t>(random.next() >> 40) - (1 << 23);
    matrix.data()[i] = static_cast<float>(number) * (1.0f / (1 << 23));
  }
}

void add_bits(const Matrix& matrix, Checksum& checksum) {
  for (int i = 0; i < matrix.size(); i++) {
    uint32_t bits;
    memcpy(&bits, matrix.data() + i, sizeof(bits));
    checksum.add(bits);
  }
}

// Rounding grows with the size; a wrong factor would be off by far more.
bool is_solution(const Matrix& a, const Matrix& x, const Matrix& b) {
  return (a * x - b).cwiseAbs().maxCoeff() < 0.05f;
}

}  // namespace

extern "C" uint64_t run(uint64_t size) {
  // Eigen would ask the processor, and cut the products otherwise in a guest: other sums, other rounding.
  Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 4 * 1024 * 1024);
  const int n = static_cast<int>(size);
  Matrix left(n, n), right(n, n), product(n, n);
  fill(left, 1);
  fill(right, 2);
  product.noalias() = left * right;

  Matrix known(n, 4);
  fill(known, 3);
  const Eigen::PartialPivLU<Matrix> factors(product);
  const Matrix solution = factors.solve(known);
  if (!is_solution(product, solution, known)) return 0;

  Checksum checksum;
  add_bits(product, checksum);
  add_bits(factors.matrixLU(), checksum);
  add_bits(solution, checksum);
  return checksum.value();
}
SANDGLASS_EXPORT(run)
