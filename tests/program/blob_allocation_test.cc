// What the reader allocates when a blob promises more than it holds. This file replaces operator new for its
// executable, which is why it stands alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "tests/program/samples.h"

namespace {
size_t largest_allocation_bytes = 0;  // since it was last set to 0
}

// Not inlined: g++ would see malloc() and delete, or new and free(), and call them mismatched.
[[gnu::noinline]] void* operator new(size_t size_bytes) {
  largest_allocation_bytes = std::max(largest_allocation_bytes, size_bytes);
  if (void* memory = std::malloc(size_bytes)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace sandglass {
namespace {

using test::Blob;

TEST(BlobAllocation, ACountAllocatesNothingBeforeItsBytesAreSeen) {
  const Blob promises[] = {
      test::container({test::section(4, {0x84, 0x00, 0, 0, 0, 0})}),              // 1024 imports
      test::container({test::section(5, {0xd0, 0x00, 0x00, 0, 0})}),              // 1 Mi exports
      test::container({test::section(5, {1, 0, 0xf0, 0xff, 0xff, 0xff, 0xff})}),  // a name of 4 GiB
      test::container({test::section(6, {0xe1, 0, 0, 0, 4, 1, 0, 1})}),           // a jump table of 64 MiB
      test::container({test::section(6, {0, 0, 0xe2, 0, 0, 0, 0})}),              // 32 MiB of code
      test::open_container({{2, 0xf0, 0xff, 0xff, 0xff, 0xff, 0}}),               // 4 GiB of data
      test::container({test::section(1, {0xf0, 0xff, 0xff, 0xff, 0xff, 0, 0})}),  // a region of 4 GiB
  };
  for (const Blob& blob : promises) {
    largest_allocation_bytes = 0;
    const bool accepted = Program::parse(blob).has_value();
    const size_t largest = largest_allocation_bytes;
    EXPECT_FALSE(accepted);
    EXPECT_LT(largest, 1024u) << "blob of " << blob.size() << " bytes";
  }
}

// 1024 names of the same 64 KiB would be 64 MiB.
TEST(BlobAllocation, ImportNamesTakeNoMoreMemoryThanTheBlob) {
  Blob imports = {0x84, 0x00};
  for (uint32_t i = 0; i < 1024; ++i) {
    const uint32_t begin = i % 2 == 0 ? 0 : 0x10000;
    for (int byte = 0; byte < 4; ++byte) imports.push_back(static_cast<uint8_t>(begin >> (8 * byte)));
  }
  imports.resize(imports.size() + 0x10000, 'x');
  const auto size = static_cast<uint32_t>(imports.size());
  Blob section = {4, 0xc1, static_cast<uint8_t>(size), static_cast<uint8_t>(size >> 8)};
  section.insert(section.end(), imports.begin(), imports.end());
  const auto program = Program::parse(test::container({section, test::section(6, test::kTrapCode)}));
  ASSERT_FALSE(program);
  EXPECT_STREQ(program.error().what, "two imports share bytes of their names");
}

}  // namespace
}  // namespace sandglass
