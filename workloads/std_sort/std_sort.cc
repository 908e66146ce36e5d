// Sorting with libc++: workloads/std_sort/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include <algorithm>
#include <string_view>
#include <vector>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

struct Record {
  uint64_t key;
  uint32_t group;
  uint32_t serial;
  uint64_t value;
};
static_assert(sizeof(Record) == 24);

// Words in one block of text; a key is a view of it, of 16 bytes.
struct Words {
  std::vector<char> text;
  std::vector<std::string_view> keys;
};

std::vector<Record> make_records(uint32_t count) {
  Random random(1);
  std::vector<Record> records(count);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t key = random.next() >> 8;
    uint32_t group = random.below(1000);
    records[i] = {key, group, i, random.next()};
  }
  return records;
}

// Many begin alike, as names and paths do.
Words make_words(uint32_t count) {
  constexpr size_t kMaxBytes = 24;
  Random random(2);
  Words words;
  words.text.resize(count * kMaxBytes);
  for (uint32_t i = 0; i < count; i++) {
    char* word = &words.text[i * kMaxBytes];
    size_t prefix = random.below(12), bytes = prefix + 2 + random.below(kMaxBytes - 14);
    for (size_t at = 0; at < bytes; at++)
      word[at] = static_cast<char>('a' + (at < prefix ? at : random.below(26)));
    words.keys.emplace_back(word, bytes);
  }
  return words;
}

void add(Checksum& checksum, const std::vector<Record>& records) {
  for (const Record& record : records) {
    checksum.add(record.key);
    checksum.add(record.serial);
    checksum.add(record.value);
  }
}

bool by_group_and_key(const Record& a, const Record& b) {
  return a.group != b.group ? a.group < b.group : a.key < b.key;
}

void sort_records(uint32_t count, Checksum& checksum) {
  std::vector<Record> records = make_records(count);
  std::sort(records.begin(), records.end(), by_group_and_key);
  add(checksum, records);
}

void sort_stably(uint32_t count, Checksum& checksum) {
  std::vector<Record> records = make_records(count);
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.group < b.group; });
  add(checksum, records);
}

// The quartiles by value. What is left and right of them may lie anyhow: only the sum of it counts.
void find_quartiles(uint32_t count, Checksum& checksum) {
  std::vector<Record> records = make_records(count);
  for (uint32_t quarter = 1; quarter <= 3; quarter++) {
    const auto quartile = records.begin() + static_cast<ptrdiff_t>(uint64_t{count} * quarter / 4);
    std::nth_element(records.begin(), quartile, records.end(),
                     [](const Record& a, const Record& b) { return a.value < b.value; });
    checksum.add(quartile->value);
    uint64_t below = 0;
    for (auto record = records.begin(); record != quartile; ++record) below += record->value;
    checksum.add(below);
  }
}

void sort_words(uint32_t count, Checksum& checksum) {
  Words words = make_words(count);
  std::sort(words.keys.begin(), words.keys.end());
  for (const std::string_view word : words.keys) {
    checksum.add(word.size());
    checksum.add(static_cast<uint8_t>(word.back()));
    checksum.add(static_cast<uint8_t>(word[word.size() / 2]));
  }
}

}  // namespace

extern "C" uint64_t run(uint64_t elements) {
  const uint32_t count = static_cast<uint32_t>(elements);
  Checksum checksum;
  sort_records(count, checksum);
  sort_stably(count, checksum);
  find_quartiles(count, checksum);
  sort_words(count, checksum);
  return checksum.value();
}
SANDGLASS_EXPORT(run)
