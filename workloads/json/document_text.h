// The text of a document with a given number of records, laid out as people do: indented, with spaces.
//
// tests/sdk/expected_programs_test.py makes the same text: a change here is one there.
#pragma once

#include <stdint.h>
#include <string.h>

#include <vector>

#include <sandglass/workload.h>

class DocumentText {
 public:
  explicit DocumentText(uint64_t records) : random_(1) {
    put("[");
    for (uint64_t id = 0; id < records; id++) {
      put(id == 0 ? "\n" : ",\n");
      put_record(id);
    }
    put("\n]\n");
  }

  const char* data() const { return text_.data(); }
  size_t bytes() const { return text_.size(); }

 private:
  void put(const char* text) { text_.insert(text_.end(), text, text + strlen(text)); }

  void put_number(uint64_t number) {
    char digits[20];
    int at = 20;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    text_.insert(text_.end(), digits + at, digits + 20);
  }

  void put_words(uint32_t count) {
    static constexpr const char* kWords[] = {"sand",           "glass",        "clock",     "caf\\u00e9",
                                             "\\\"quoted\\\"", "na\xc3\xafve", "tab\\tand", "line\\nend",
                                             "slash\\\\",      "ordinary"};
    for (uint32_t i = 0; i < count; i++) {
      if (i > 0) put(" ");
      put(kWords[random_.below(10)]);
    }
  }

  void put_coordinate() {
    if (random_.below(2) == 0) put("-");
    put_number(random_.below(180));
    put(".");
    put_number(1 + random_.below(999999));
  }

  void put_record(uint64_t id) {
    put("  {\n    \"id\": "), put_number(id);
    put(",\n    \"name\": \""), put_words(2);
    put("\",\n    \"active\": "), put(random_.below(3) != 0 ? "true" : "false");
    put(",\n    \"parent\": ");
    if (id == 0)
      put("null");
    else
      put_number(random_.below(static_cast<uint32_t>(id)));
    put(",\n    \"account\": { \"number\": "), put_number(random_.next() >> 1);
    put(", \"balance\": "), put(random_.below(4) == 0 ? "-" : ""), put_number(1 + random_.below(1000000));
    put(" },\n    \"position\": [ "), put_coordinate(), put(", "), put_coordinate();
    put(" ],\n    \"tags\": [");
    for (uint32_t tags = random_.below(4), i = 0; i < tags; i++) {
      put(i == 0 ? "\"" : ", \""), put_words(1), put("\"");
    }
    put("],\n    \"note\": \""), put_words(random_.below(12)), put("\"\n  }");
  }

  sandglass::workload::Random random_;
  std::vector<char> text_;
};
