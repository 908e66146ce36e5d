// Thread-local variables (-femulated-tls): a guest has one thread, so each is one object, made when first
// used.
#include <stddef.h>

#include "workloads/sdk/machine.h"

extern "C" void* aligned_alloc(size_t alignment, size_t bytes);

namespace {

// What the compiler emits for each variable; `object` is ours and starts as null.
struct Control {
  size_t bytes;
  size_t alignment;
  void* object;
  const void* initial;  // null: zeros
};

void make(Control& control) {
  control.object = aligned_alloc(control.alignment, control.bytes);
  if (!control.object) sandglass::guest::trap();
  if (control.initial) {
    __builtin_memcpy(control.object, control.initial, control.bytes);
  } else {
    __builtin_memset(control.object, 0, control.bytes);
  }
}

}  // namespace

extern "C" void* __emutls_get_address(Control* control) {
  if (!control->object) make(*control);
  return control->object;
}
