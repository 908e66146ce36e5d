// A neural network in fixed point: workloads/eigen_mlp/README.md.
#include "workloads/eigen_mlp/fixed.h"

#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kWidths[] = {256, 256, 160, 10};  // 108,096 weights and 426 biases
constexpr int kLayers = 3;
constexpr int kBatch = 8;

using Matrix = Eigen::Matrix<Fixed, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Fixed, Eigen::Dynamic, 1>;

// 16 random bits with a sign, at most 2^-shift in size.
Fixed small_number(Random& random, int shift) {
  return Fixed::from_raw(static_cast<int16_t>(random.next() >> 48) * 2 >> shift);
}

template <typename Target>
void fill(Target& target, Random& random, int shift) {
  for (int i = 0; i < target.size(); i++) target.data()[i] = small_number(random, shift);
}

struct Layer {
  Matrix weights;
  Vector biases;

  Layer(int inputs, int outputs, Random& random) : weights(outputs, inputs), biases(outputs) {
    fill(weights, random, 3);
    fill(biases, random, 2);
  }
  void apply(const Matrix& input, Matrix& output) const {
    output.noalias() = weights * input;
    output.colwise() += biases;
  }
};

Fixed relu(Fixed number) { return number < Fixed(0) ? Fixed(0) : number; }

// Each column's scores, and which of them won.
void add_answers(const Matrix& scores, Checksum& checksum) {
  for (int column = 0; column < scores.cols(); column++) {
    int best = 0;
    for (int row = 0; row < scores.rows(); row++) {
      checksum.add(static_cast<uint32_t>(scores(row, column).raw));
      if (scores(best, column) < scores(row, column)) best = row;
    }
    checksum.add(static_cast<uint64_t>(best));
  }
}

}  // namespace

extern "C" uint64_t run(uint64_t batches) {
  // Eigen would ask the processor, and cut the products otherwise in a guest.
  Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 4 * 1024 * 1024);
  Random random(1);
  const Layer layers[kLayers] = {
      {kWidths[0], kWidths[1], random}, {kWidths[1], kWidths[2], random}, {kWidths[2], kWidths[3], random}};
  Checksum checksum;
  for (uint64_t batch = 0; batch < batches; batch++) {
    Random inputs(2 + batch);
    Matrix values(kWidths[0], kBatch), next;
    fill(values, inputs, 0);
    for (int i = 0; i < kLayers; i++) {
      layers[i].apply(values, next);
      if (i + 1 < kLayers) next = next.unaryExpr(&relu);
      values.swap(next);
    }
    add_answers(values, checksum);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
