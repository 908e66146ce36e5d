// What keeps the optimiser from skipping a twin's work. Costs no instruction.
#pragma once

namespace sandglass::twins {

// The optimiser knows nothing about value afterwards, so a loop around this keeps its iterations. Integers
// and pointers.
template <typename T>
inline void hide(T& value) {
  asm volatile("" : "+r"(value));
}

}  // namespace sandglass::twins
