// The zygote's program as a sealed anonymous file, ready for execveat(2).
#pragma once

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {

// The build embeds the program into the library, so there is no file that could be missing, old or replaced.
// Made once per process; the descriptor stays open.
Result<int> zygote_image_fd();

}  // namespace sandglass
