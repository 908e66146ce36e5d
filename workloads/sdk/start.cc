#include <sandglass/start.h>

extern "C" {

// Where the linker script puts the constructors.
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();

}  // extern "C"

static bool is_started = false;

void sandglass_start() {
  if (is_started) return;
  is_started = true;
  for (void (**constructor)() = __init_array_start; constructor != __init_array_end; constructor++)
    (*constructor)();
}
