#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

std::string escape(std::string_view bytes, std::string_view allowed) {
  std::string text;
  for (const char c : bytes) {
    const bool plain = (c >= ' ' && c <= '~') || allowed.find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
  return text;
}

}  // namespace

std::string printable(std::string_view bytes) { return escape(bytes, "\n\t"); }
std::string printable_name(std::string_view bytes) { return escape(bytes, ""); }

// Not fmt::print(), which throws when the pipe is closed.
void write_text(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_error(std::string_view text) {
  std::fflush(stdout);  // what was said before comes first
  std::fprintf(stderr, "sandglass: %s\n", printable(text).c_str());
}
void print_error(const Error& error) { print_error(to_string(error)); }

}  // namespace sandglass::cli
