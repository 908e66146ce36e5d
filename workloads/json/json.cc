// RapidJSON over a document made here: workloads/json/README.md.
#include <stdint.h>

#define RAPIDJSON_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#include <document.h>
#include <stringbuffer.h>
#include <writer.h>

#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include "workloads/json/document_text.h"

using sandglass::workload::Checksum;

namespace {

void add_text(Checksum& checksum, const char* text, size_t bytes) {
  checksum.add(bytes);
  checksum.add_bytes(text, bytes);
}

void add_double(Checksum& checksum, double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof(bits));
  checksum.add(bits);
}

// Every value of the tree, in order, after a number for its type.
void walk(const rapidjson::Value& value, Checksum& checksum) {
  checksum.add(value.GetType());
  switch (value.GetType()) {
    case rapidjson::kNullType:
    case rapidjson::kFalseType:
    case rapidjson::kTrueType: return;
    case rapidjson::kNumberType:
      if (value.IsInt64()) return checksum.add(static_cast<uint64_t>(value.GetInt64()));
      return add_double(checksum, value.GetDouble());
    case rapidjson::kStringType: return add_text(checksum, value.GetString(), value.GetStringLength());
    case rapidjson::kArrayType:
      checksum.add(value.Size());
      for (const auto& element : value.GetArray()) walk(element, checksum);
      return;
    case rapidjson::kObjectType:
      checksum.add(value.MemberCount());
      for (const auto& member : value.GetObject()) {
        add_text(checksum, member.name.GetString(), member.name.GetStringLength());
        walk(member.value, checksum);
      }
  }
}

// Looks members up by name, as programs that use a document do. RapidJSON searches an object from its start.
int64_t balance_of_the_active(const rapidjson::Value& records) {
  int64_t sum = 0;
  for (const auto& record : records.GetArray()) {
    if (record["active"].GetBool()) sum += record["account"]["balance"].GetInt64();
  }
  return sum;
}

bool parse(rapidjson::Document& document, const char* text, size_t bytes) {
  document.Parse<rapidjson::kParseFullPrecisionFlag>(text, bytes);
  return !document.HasParseError();
}

}  // namespace

extern "C" uint64_t run(uint64_t records) {
  const DocumentText text(records);
  rapidjson::Document document, again;
  if (!parse(document, text.data(), text.bytes())) return 0;

  rapidjson::StringBuffer written;
  rapidjson::Writer<rapidjson::StringBuffer> writer(written);
  if (!document.Accept(writer)) return 0;
  if (!parse(again, written.GetString(), written.GetSize()) || again != document) return 0;

  Checksum checksum;
  walk(again, checksum);
  checksum.add(static_cast<uint64_t>(balance_of_the_active(again)));
  return checksum.value();
}
SANDGLASS_EXPORT(run)
