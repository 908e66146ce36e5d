// malloc and its kin, on one heap.
#include "workloads/sdk/heap.h"
#include "workloads/sdk/system.h"

namespace {

constinit sandglass::guest::Heap heap(sandglass_more_heap);

bool is_power_of_two(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

extern "C" {

void* malloc(size_t bytes) { return heap.allocate(bytes); }

void free(void* memory) {
  if (memory) heap.release(memory);
}

void* calloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return nullptr;
  void* memory = heap.allocate(total);
  return memory ? __builtin_memset(memory, 0, total) : nullptr;
}

void* realloc(void* memory, size_t bytes) {
  return memory ? heap.resize(memory, bytes) : heap.allocate(bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  return is_power_of_two(alignment) ? heap.allocate_aligned(alignment, bytes) : nullptr;
}

void* memalign(size_t alignment, size_t bytes) { return aligned_alloc(alignment, bytes); }

int posix_memalign(void** result, size_t alignment, size_t bytes) {
  constexpr int kInvalid = 22, kNoMemory = 12;  // EINVAL, ENOMEM
  if (!is_power_of_two(alignment) || alignment % sizeof(void*) != 0) return kInvalid;
  void* memory = heap.allocate_aligned(alignment, bytes);
  if (!memory) return kNoMemory;
  *result = memory;
  return 0;
}

size_t malloc_usable_size(void* memory) { return memory ? sandglass::guest::Heap::usable_bytes(memory) : 0; }

}  // extern "C"
