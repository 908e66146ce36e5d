// Quicksort, insertion sort below a few elements: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kNumbers = 40'000;
constexpr int kInsertionSortBelow = 12;

int32_t numbers[kNumbers];

void swap(int32_t* a, int32_t* b) {
  int32_t old = *a;
  *a = *b;
  *b = old;
}

void insertion_sort(int32_t* first, int32_t* last) {
  for (int32_t* at = first + 1; at <= last; at++) {
    int32_t number = *at;
    int32_t* hole = at;
    for (; hole > first && hole[-1] > number; hole--) *hole = hole[-1];
    *hole = number;
  }
}

// The middle one of three is the pivot; the other two are then on their side already and stop both scans.
int32_t median_of_three(int32_t* first, int32_t* last) {
  int32_t* middle = first + (last - first) / 2;
  if (*middle < *first) swap(middle, first);
  if (*last < *first) swap(last, first);
  if (*last < *middle) swap(last, middle);
  return *middle;
}

// From *first to *last, both included. The larger part is the loop's: the stack stays small.
void quicksort(int32_t* first, int32_t* last) {
  while (last - first >= kInsertionSortBelow) {
    int32_t pivot = median_of_three(first, last);
    int32_t* left = first;
    int32_t* right = last;
    while (left <= right) {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left <= right) swap(left++, right--);
    }
    if (right - first < last - left) {
      quicksort(first, right);
      first = left;
    } else {
      quicksort(left, last);
      last = right;
    }
  }
  insertion_sort(first, last);
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    for (int32_t& number : numbers) number = static_cast<int32_t>(random.next() >> 32);
    quicksort(numbers, numbers + kNumbers - 1);
    for (int32_t number : numbers) checksum.add(static_cast<uint32_t>(number));
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
