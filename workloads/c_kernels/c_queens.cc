// In how many ways n queens stand on a board of n by n: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;

namespace {

// Row by row. A bit is a column; the diagonals move by one column from row to row.
uint64_t place(uint32_t all, uint32_t columns, uint32_t falling, uint32_t rising) {
  if (columns == all) return 1;
  uint64_t ways = 0;
  for (uint32_t left = all & ~(columns | falling | rising); left != 0; left &= left - 1) {
    uint32_t queen = left & -left;
    ways += place(all, columns | queen, (falling | queen) << 1, (rising | queen) >> 1);
  }
  return ways;
}

}  // namespace

extern "C" uint64_t run(uint64_t queens) {
  if (queens > 31) return 0;
  Checksum checksum;
  checksum.add(queens);
  checksum.add(place((uint32_t{1} << queens) - 1, 0, 0, 0));
  return checksum.value();
}
SANDGLASS_EXPORT(run)
