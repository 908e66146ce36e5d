// The Mandelbrot set in fixed point: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;

namespace {

// 28 bits behind the point. Nothing that is iterated grows beyond 8, so that every product fits.
constexpr int kPoint = 28;
constexpr int64_t kOne = int64_t{1} << kPoint;
constexpr int kWidth = 384;
constexpr int kHeight = 256;
constexpr uint32_t kMaxSteps = 400;

// How many steps it takes to leave the circle of radius 2.
uint32_t steps_at(int64_t re, int64_t im) {
  int64_t x = 0, y = 0;
  for (uint32_t steps = 0; steps < kMaxSteps; steps++) {
    int64_t xx = x * x >> kPoint;
    int64_t yy = y * y >> kPoint;
    if (xx + yy > 4 * kOne) return steps;
    y = (x * y >> (kPoint - 1)) + im;
    x = xx - yy + re;
  }
  return kMaxSteps;
}

}  // namespace

// From -2 - i to 1 + i, `rows` of its rows; the picture repeats below, moved by 1/1024.
extern "C" uint64_t run(uint64_t rows) {
  Checksum checksum;
  for (uint64_t row = 0; row < rows; row++) {
    int64_t moved = static_cast<int64_t>(row / kHeight) * kOne / 1024;
    int64_t im = static_cast<int64_t>(row % kHeight) * 2 * kOne / kHeight - kOne + moved;
    for (int column = 0; column < kWidth; column++) {
      checksum.add(steps_at(column * 3 * kOne / kWidth - 2 * kOne, im));
    }
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
