#include "workloads/sdk/machine.h"
#include "workloads/sdk/system.h"

void* sandglass_more_heap(size_t bytes) {
  uintptr_t top = sandglass::guest::grow_heap(bytes);
  return top == 0 ? nullptr : reinterpret_cast<void*>(top - bytes);
}
