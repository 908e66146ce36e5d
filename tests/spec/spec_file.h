// The spec programs: one claim about the instruction set per file, the file name is the claim.
//
//   // What the claim means, in a sentence.
//   pre: isa = latest64 jam_v1                 holds for every case of the file
//   post: others = any
//   case: a0 = 5, a1 = 7 => a2 = t0 = 12       one run: what is set before, what is found after
//   and: t1 = 12, s0 = 10                      more of what is found after it
//   case 64: a0 = -1 => a2 = 0                 for 64-bit sets only (case 32: latest32 only)
//   case: gas = 1 => status = out_of_gas, pc = @main, next = @main
//   then: gas = 9 => status = finished         goes on from there, with another run
//   pub @main:
//       a2 = a0 + a1
//       ret
//
// Below stands the program, as text for the assembler, or as bytes:
//
//   code: 0a _00*25 [00]     instructions in hex, blanks between them; bytes behind _ start no instruction,
//                            *25 repeats, and a dot may stand between bytes
//   jump_table: 0 1          code offsets
//
// A program starts at its export `main`, or at 0, as a call: sp and ra are set, so `ret` finishes. Lines in
// this header syntax must begin in the first column. Items are `key = value`, separated by commas; several
// keys may share a value (`a2 = t0 = 12`). spec_run.cc has the tables of keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sandglass::spec {

struct Item {
  std::string key;
  std::string value;
};
using Items = std::vector<Item>;

struct Run {
  Items set;
  Items expect;
};

struct Case {
  int line = 0;
  std::optional<bool> only_64_bit;
  std::vector<Run> runs;
};

struct SpecFile {
  std::filesystem::path path;
  Items pre, post;  // already part of the first and of the last run of every case
  std::vector<Case> cases;
  std::string assembly;    // the file with the header lines blanked, so that line numbers stay
  std::string code;        // instead of assembly
  std::string jump_table;  // for code
};

// Every .pvm file below `folder`, sorted.
std::vector<std::filesystem::path> find_spec_files(const std::filesystem::path& folder);

// On a line that makes no sense, `error` names it; the rest of the result means nothing then.
SpecFile read_spec_file(const std::filesystem::path& path, std::string& error);

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text,
                               std::string_view separator);  // trimmed, without empties

}  // namespace sandglass::spec
