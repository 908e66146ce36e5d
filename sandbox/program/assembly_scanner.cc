#include "sandbox/program/assembly_scanner.h"

#include <algorithm>

namespace sandglass {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t word_length(std::string_view text) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_word_char) - text.begin());
}

// 0…15, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "ra" … "a5" or "r0" … "r12".
std::optional<Reg> reg_named(std::string_view word) {
  for (size_t i = 0; i < kRegCount; ++i) {
    if (word == kRegNames[i]) return static_cast<Reg>(i);
  }
  if (word.size() < 2 || word.size() > 3 || word[0] != 'r' || word[1] == '0') {
    return word == "r0" ? std::optional(Reg::ra) : std::nullopt;
  }
  size_t index = 0;
  for (const char c : word.substr(1)) {
    if (!is_digit(c)) return std::nullopt;
    index = 10 * index + static_cast<size_t>(c - '0');
  }
  return index < kRegCount ? std::optional(static_cast<Reg>(index)) : std::nullopt;
}

// "0x" and "0b" choose the base and are cut off.
uint64_t take_base(std::string_view& digits) {
  if (!digits.starts_with("0x") && !digits.starts_with("0b")) return 10;
  const uint64_t base = digits[1] == 'x' ? 16 : 2;
  digits.remove_prefix(2);
  return base;
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

Error assembly_error(const char* what, std::string_view detail) {
  return Error::make(ErrorKind::kBadProgram, what, Error::kNowhere, detail);
}

void AssemblyScanner::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

bool AssemblyScanner::at_end() {
  skip_blanks();
  return rest_.empty() || rest_.starts_with("//");
}

char AssemblyScanner::peek() { return at_end() ? '\0' : rest_.front(); }

std::string_view AssemblyScanner::rest() {
  skip_blanks();
  return trim_blanks(rest_);
}

bool AssemblyScanner::accept(std::string_view symbol) {
  skip_blanks();
  if (!rest_.starts_with(symbol)) return false;
  rest_.remove_prefix(symbol.size());
  return true;
}

bool AssemblyScanner::accept_operator(std::string_view symbol) {
  if (is_word_char(symbol.front())) return accept_word(symbol);
  const size_t blank = symbol.find(' ');
  if (blank == std::string_view::npos) return accept(symbol);
  const std::string_view before = rest_;
  if (accept(symbol.substr(0, blank)) && accept(symbol.substr(blank + 1))) return true;
  rest_ = before;
  return false;
}

std::string_view AssemblyScanner::peek_word() {
  skip_blanks();
  if (rest_.empty() || is_digit(rest_.front())) return {};
  return rest_.substr(0, word_length(rest_));
}

bool AssemblyScanner::accept_word(std::string_view word) {
  if (peek_word() != word) return false;
  rest_.remove_prefix(word.size());
  return true;
}

std::optional<Reg> AssemblyScanner::accept_reg() {
  const std::string_view word = peek_word();
  const std::optional<Reg> reg = reg_named(word);
  if (reg) rest_.remove_prefix(word.size());
  return reg;
}

bool AssemblyScanner::at_number() {
  const char c = peek();
  return is_digit(c) || c == '-' || c == '+';
}

Result<uint64_t> AssemblyScanner::magnitude() {
  skip_blanks();
  const std::string_view word = rest_.substr(0, word_length(rest_));
  std::string_view digits = word;
  const uint64_t base = take_base(digits);
  if (digits.empty() || !is_digit(word.front())) return assembly_error("expected a number", rest());
  uint64_t value = 0;
  for (const char c : digits) {
    const int digit = hex_value(c);
    if (digit < 0 || static_cast<uint64_t>(digit) >= base) return assembly_error("not a number", word);
    const bool overflow = __builtin_mul_overflow(value, base, &value) ||
                          __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value);
    if (overflow) return assembly_error("the number does not fit into 64 bits", word);
  }
  rest_.remove_prefix(word.size());
  return value;
}

Result<Number> AssemblyScanner::number() {
  const std::string_view text = rest();
  const bool negative = accept("-");
  if (!negative) accept("+");
  const uint64_t value = SG_TRY(magnitude());
  if (!negative) return Number{value, false};
  if (value > uint64_t{1} << 63) return assembly_error("the number does not fit into 64 bits", text);
  return Number{0 - value, value != 0};
}

Result<std::string> AssemblyScanner::quoted() {
  const std::string_view text = rest();
  if (!accept("'")) return assembly_error("expected a name in quotes", text);
  std::string bytes;
  for (size_t i = 0; i < rest_.size(); ++i) {
    const char c = rest_[i];
    if (c == '\'') {
      rest_.remove_prefix(i + 1);
      return bytes;
    }
    if (c != '\\') {
      bytes += c;
      continue;
    }
    const char escaped = i + 1 < rest_.size() ? rest_[i + 1] : '\0';
    const int high = i + 2 < rest_.size() ? hex_value(rest_[i + 2]) : -1;
    const int low = i + 3 < rest_.size() ? hex_value(rest_[i + 3]) : -1;
    if (escaped == '\'' || escaped == '\\') {
      bytes += escaped;
      i += 1;
    } else if (escaped == 'x' && high >= 0 && low >= 0) {
      bytes += static_cast<char>(high << 4 | low);
      i += 3;
    } else {
      return assembly_error("unknown escape in a name", rest_.substr(i));
    }
  }
  return assembly_error("the name has no closing quote", text);
}

Result<std::vector<uint8_t>> AssemblyScanner::hex_bytes() {
  std::vector<uint8_t> bytes;
  while (!at_end()) {
    const std::string_view text = rest();
    const int high = hex_value(rest_.front());
    rest_.remove_prefix(1);
    skip_blanks();
    const int low = rest_.empty() ? -1 : hex_value(rest_.front());
    if (high < 0 || low < 0) return assembly_error("expected pairs of hexadecimal digits", text);
    rest_.remove_prefix(1);
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::string_view AssemblyScanner::until_blank() {
  const auto end = std::find_if(rest_.begin(), rest_.end(), is_blank);
  const std::string_view piece = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
  rest_.remove_prefix(piece.size());
  return piece;
}

std::string_view AssemblyScanner::until_comment() {
  size_t end = rest_.find("//");
  while (end != std::string_view::npos && (end == 0 || !is_blank(rest_[end - 1]))) {
    end = rest_.find("//", end + 1);
  }
  const std::string_view piece = trim_blanks(rest_.substr(0, end));
  rest_.remove_prefix(std::min(end, rest_.size()));
  return piece;
}

Status AssemblyScanner::expect(std::string_view symbol) {
  if (accept(symbol)) return {};
  return assembly_error("expected something else here", rest());
}

Status AssemblyScanner::expect_end() {
  if (at_end()) return {};
  return assembly_error("unexpected text at the end of the line", rest());
}

}  // namespace sandglass
