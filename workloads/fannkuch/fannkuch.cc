// Flips of pancakes, over many permutations: workloads/fannkuch/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;

namespace {

constexpr int kSize = 10;

// Permutations of 0 … 9, each made from the last by rotating a prefix: a counter whose digit i says how often
// the first i+1 have been rotated. The first n! leave all but the first n in place.
class Permutations {
 public:
  Permutations() {
    for (int i = 0; i < kSize; i++) pile_[i] = i;
  }
  const int* pile() const { return pile_; }

  // After the last, the first again.
  void advance() {
    for (int i = 1; i < kSize; i++) {
      rotate(i);
      if (++digits_[i] <= i) return;
      digits_[i] = 0;
    }
  }

 private:
  void rotate(int last) {
    const int first = pile_[0];
    for (int i = 0; i < last; i++) pile_[i] = pile_[i + 1];
    pile_[last] = first;
  }

  int pile_[kSize];
  int digits_[kSize] = {};
};

// Turns the first n+1 over, where n is what lies on top, until that is 0. How often?
int flips(const int* pile) {
  int copy[kSize];
  for (int i = 0; i < kSize; i++) copy[i] = pile[i];
  int count = 0;
  for (int top = copy[0]; top != 0; top = copy[0], count++) {
    for (int low = 0, high = top; low < high; low++, high--) {
      const int held = copy[low];
      copy[low] = copy[high];
      copy[high] = held;
    }
  }
  return count;
}

}  // namespace

extern "C" uint64_t run(uint64_t count) {
  Permutations permutations;
  Checksum checksum;
  int64_t alternating_sum = 0;
  int most = 0;
  for (uint64_t i = 0; i < count; i++) {
    const int turned = flips(permutations.pile());
    checksum.add(static_cast<uint64_t>(turned));
    alternating_sum += i % 2 == 0 ? turned : -turned;
    if (turned > most) most = turned;
    permutations.advance();
  }
  checksum.add(static_cast<uint64_t>(alternating_sum));
  checksum.add(static_cast<uint64_t>(most));
  return checksum.value();
}
SANDGLASS_EXPORT(run)
