// LiveHeap: what this process has allocated with `new` and not deleted, to the block. What the C library
// keeps of freed memory for later, in the caches of its threads, is not in it.
#pragma once

#include <cstddef>

namespace sandglass::faults {

struct LiveHeap {
  size_t blocks = 0, bytes = 0;
};
LiveHeap live_heap();

}  // namespace sandglass::faults
