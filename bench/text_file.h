// Small files of /proc and /sys as text.
#pragma once

#include <string>

namespace sandglass::bench {

// The first 64 KiB; empty when the file cannot be read.
std::string read_text_file(const char* path);

}  // namespace sandglass::bench
