#include "workloads/sdk/system.h"

void sandglass_write(int, const char*, size_t) {}
