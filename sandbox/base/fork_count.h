// fork_count(): tells a forked child that what it finds in its memory is its parent's.
#pragma once

#include <cstdint>

namespace sandglass {

// How many calls of fork(2) lie between this process and the one that called this first. Costs a load; sees
// only forks that run the handlers of pthread_atfork(3), which a bare clone(2) does not.
uint32_t fork_count();

}  // namespace sandglass
