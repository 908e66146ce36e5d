#include "workloads/twins/twins.h"

namespace sandglass::twins {
namespace {

enum Kind : uint64_t { kWord = 1, kNumber, kString, kComment, kOther };

constexpr char kAlphabet[] = "etaoinshrdlucmfwypvbgkjqxzeta0123456789           \n\n\n\"\"#...+-=(;";
static_assert(sizeof kAlphabet == 64 + 1);

void generate(uint8_t* text, uint64_t n) {
  uint64_t state = 0x9e3779b97f4a7c15;
  for (uint64_t i = 0; i < n; ++i) {
    state = state * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
    text[i] = static_cast<uint8_t>(kAlphabet[state >> 58]);
  }
  text[n] = 0;
}

bool is_letter(uint8_t c) { return c >= 'a' && c <= 'z'; }
bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

const uint8_t* end_of_number(const uint8_t* at) {
  for (bool dot_seen = false;; ++at) {
    if (is_digit(*at)) continue;
    if (*at != '.' || dot_seen) return at;
    dot_seen = true;
  }
}

const uint8_t* end_of_string(const uint8_t* at) {
  while (*at != 0) {
    if (*at++ == '"') break;
  }
  return at;
}

// Of the token whose first character c lies before `at`.
const uint8_t* end_of_token(uint8_t c, const uint8_t* at, Kind* kind) {
  if (is_letter(c)) {
    while (is_letter(*at) || is_digit(*at)) ++at;
    *kind = kWord;
  } else if (is_digit(c)) {
    at = end_of_number(at);
    *kind = kNumber;
  } else if (c == '"') {
    at = end_of_string(at);
    *kind = kString;
  } else if (c == '#') {
    while (*at != '\n' && *at != 0) ++at;
    *kind = kComment;
  } else {
    *kind = kOther;
  }
  return at;
}

uint64_t fold_tokens(const uint8_t* at, uint64_t hash) {
  for (;;) {
    const uint8_t* start = at;
    const uint8_t c = *at++;
    if (c == ' ' || c == '\n') continue;
    if (c == 0) return hash;
    Kind kind;
    at = end_of_token(c, at, &kind);
    hash = (hash ^ (static_cast<uint64_t>(at - start) << 3 | kind)) * 0x100000001b3;
  }
}

}  // namespace

uint64_t state_machine(uint64_t n, uint64_t repetitions, uint8_t* memory) {
  generate(memory, n);
  uint64_t hash = 0xcbf29ce484222325;
  for (; repetitions != 0; --repetitions) hash = fold_tokens(memory, hash);
  return hash;
}

}  // namespace sandglass::twins
