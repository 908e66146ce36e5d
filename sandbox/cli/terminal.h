// What the commands print. Names, text and instructions come from guests: nothing of it reaches the terminal
// before control characters have been made visible.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "sandbox/base/result.h"

namespace sandglass::cli {

// Bytes other than printable ASCII, line breaks and tabs as \xHH.
std::string printable(std::string_view bytes);
// The same for a name, which also has no line breaks and tabs.
std::string printable_name(std::string_view bytes);

// Buffers what goes to standard output; what cannot be written is noticed at the end (main.cc).
void write_text(std::string_view text);
template <typename... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_text(fmt::format(format, std::forward<Args>(args)...));
}

// "sandglass: …" on standard error.
void print_error(std::string_view text);
void print_error(const Error& error);

}  // namespace sandglass::cli
