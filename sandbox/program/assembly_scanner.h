// AssemblyScanner: reads one line of assembly text from left to right.
//
// Every function first skips blanks (space, tab, carriage return, vertical tab, form feed). `//` ends a line
// wherever a new piece could begin. Nothing is copied: results are views of the line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/program/isa.h"

namespace sandglass {

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
std::string_view trim_blanks(std::string_view text);

// A kBadProgram error that still lacks its line; the assembler fills that in.
Error assembly_error(const char* what, std::string_view detail);

// A number as it is written: -2^63 … 2^64-1.
struct Number {
  uint64_t bits = 0;  // two's complement
  bool negative = false;

  // Whether the 64 bits, read as signed, fit into 32 bits; so 0xffffffffffffffff is -1.
  bool fits_i32() const {
    return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(bits))) == bits;
  }
  bool fits_u32() const { return !negative && bits <= UINT32_MAX; }
  Number negated() const { return {0 - bits, static_cast<int64_t>(0 - bits) < 0}; }
};

class AssemblyScanner {
 public:
  explicit AssemblyScanner(std::string_view line) : rest_(line) {}

  bool at_end();  // nothing but a comment is left
  char peek();    // the next character, 0 at the end
  bool accept(std::string_view symbol);
  // A blank in the symbol stands for any number of blanks; a symbol of letters must end where the word ends.
  bool accept_operator(std::string_view symbol);
  bool accept_word(std::string_view word);
  std::string_view peek_word();  // letters, digits and _, not beginning with a digit; may be empty
  std::string_view rest();       // what has not been read, for error messages

  std::optional<Reg> accept_reg();
  bool at_number();
  Result<Number> number();
  Result<std::string> quoted();              // 'bytes' with the escapes of quote()
  Result<std::vector<uint8_t>> hex_bytes();  // up to the end of the line; may be none
  // These two start right here, without skipping blanks, and may be empty.
  std::string_view until_blank();
  std::string_view until_comment();        // up to the end or a `//` after a blank, trimmed
  Status expect(std::string_view symbol);  // or "expected something else"
  Status expect_end();

 private:
  void skip_blanks();
  Result<uint64_t> magnitude();

  std::string_view rest_;
};

}  // namespace sandglass
