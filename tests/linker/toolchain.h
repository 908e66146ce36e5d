// What the tests of the linker share: LLVM's tools when they are there, files to work on, guests to call.
//
// A test that needs the tools is skipped without them, and says so.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/backend/sandbox.h"
#include "workloads/linker/linker.h"

namespace sandglass::linker {

// Empty when the tool is there, otherwise the reason for skipping.
std::string why_missing(const std::string& tool);

#define SG_NEEDS(tool)                                                                \
  do {                                                                                \
    if (const std::string why = why_missing(tool); !why.empty()) GTEST_SKIP() << why; \
  } while (false)
// clang and lld.
#define SG_NEEDS_GUEST_TOOLS() \
  do {                         \
    SG_NEEDS("clang-19");      \
    SG_NEEDS("ld.lld-19");     \
  } while (false)

struct Answer {
  int status = 0;    // -1: killed, for example because it took too long
  std::string text;  // both outputs
};
// A command line for the shell, stopped after 60 seconds.
Answer run_command(const std::string& command);

// The SDK's memory functions and what else needs no C library, for guests: an archive.
std::string sdk_library();

using ElfBytes = std::vector<uint8_t>;

// The whole file.
ElfBytes read_bytes(const std::string& path);

// A folder of its own, gone with the object.
class Workshop {
 public:
  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, std::string_view text) const;

  // Compiles and links the sources (an archive is only linked) for guests; nothing (and a failure of the
  // test) when that does not work.
  std::optional<ElfBytes> build(const std::vector<std::string>& sources, const std::string& flags,
                                const std::string& linker_flags = {}) const;
  // The same for one text: assembly (".s"), C (".c") or C++ (".cc").
  std::optional<ElfBytes> build_text(std::string_view text, const std::string& suffix,
                                     const std::string& flags = "-O1",
                                     const std::string& linker_flags = {}) const;

 private:
  std::filesystem::path folder_;
};

// Linked, and problems are failures.
std::shared_ptr<const Program> linked(const ElfBytes& elf, const LinkOptions& options = {});

// What `entry` leaves in a0; nothing (and a failure) when it does not finish.
std::optional<uint64_t> call(const std::shared_ptr<const Program>& program, Backend backend,
                             std::string_view entry, std::initializer_list<uint64_t> arguments = {});

// Why the call stopped, when it must not finish.
Interrupt stop_of(const std::shared_ptr<const Program>& program, Backend backend, std::string_view entry);

}  // namespace sandglass::linker
