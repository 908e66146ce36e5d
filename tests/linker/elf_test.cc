// ELF files of any kind: right ones are read, wrong ones are refused with the rule, none crashes.
#include "workloads/linker/elf_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/linker/elf_image.h"
#include "workloads/linker/linker.h"

namespace sandglass::linker {
namespace {

using Bytes = std::vector<uint8_t>;

std::string problems_of(const Bytes& bytes) {
  std::string all;
  for (const std::string& problem : link(bytes).problems) all += problem + "\n";
  return all;
}

void expect_problem(const std::function<void(ElfImage&)>& change, const std::string& words) {
  ElfImage image = small_image();
  change(image);
  EXPECT_NE(problems_of(image.bytes()).find(words), std::string::npos)
      << words << " is not in: " << problems_of(image.bytes());
}

void expect_bad_header(size_t offset, std::initializer_list<uint8_t> bytes, const std::string& words) {
  Bytes file = small_image().bytes();
  std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<ptrdiff_t>(offset));
  EXPECT_NE(problems_of(file).find(words), std::string::npos) << words << " is not in: " << problems_of(file);
}

TEST(ElfFile, ASmallOneIsLinked) {
  const LinkResult result = link(small_image().bytes());
  ASSERT_TRUE(result) << problems_of(small_image().bytes());
  const ProgramParts& parts = result.program->parts();
  EXPECT_EQ(parts.ro_data_bytes, 16u);
  EXPECT_EQ(parts.ro_data, (Bytes{2}));
  EXPECT_EQ(parts.rw_data_bytes, 116u);
  EXPECT_EQ(parts.rw_data, (Bytes{3, 3, 3, 3, 3, 3, 3, 3, 2}));
  EXPECT_EQ(parts.jump_table, (std::vector<uint32_t>{0}));
  EXPECT_EQ(parts.exports, (std::vector<Export>{{0, "main"}}));
}

TEST(ElfFile, HeadersAreChecked) {
  expect_bad_header(0, {0}, "no ELF file");
  expect_bad_header(4, {1}, "not of 64 bits");
  expect_bad_header(5, {2}, "not little-endian");
  expect_bad_header(18, {62, 0}, "machine 62");
  expect_bad_header(16, {1, 0}, "object file");
  expect_bad_header(16, {3, 0}, "no executable");
  expect_bad_header(48, {1, 0}, "rv64e");
  expect_bad_header(48, {13, 0}, "lp64e");
  expect_bad_header(40, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "section headers lie outside");
  expect_bad_header(58, {40, 0}, "64 bytes");
  expect_bad_header(60, {0, 0}, "no section headers");
  expect_bad_header(62, {0xff, 0xff}, "section of section names");
  EXPECT_NE(problems_of({}).find("no ELF file"), std::string::npos);
}

TEST(ElfFile, SectionsAreChecked) {
  expect_problem([](ElfImage& i) { i.sections[2].flags = 2; }, "no code");
  expect_problem([](ElfImage& i) { i.sections[2].address = 0xffffffffff; }, "below 4 GiB");
  expect_problem([](ElfImage& i) { i.sections[2].address += 1; }, "odd address");
  expect_problem([](ElfImage& i) { i.sections[0].address = 0x8000; }, "begins before");
  expect_problem([](ElfImage& i) { i.sections[1].address = 0x1000000; }, "lies far from");
  expect_problem([](ElfImage& i) { i.sections[1].flags |= 0x400; }, "-femulated-tls");
  expect_problem([](ElfImage& i) { i.sections[2].address = 0x30020; }, "among data");
  expect_problem([](ElfImage& i) { i.sections[4].size_bytes = 0xffff0000; }, "4 GiB");
  expect_problem([](ElfImage& i) { i.sections[4].size_bytes = 0xe0000000 - 0x40000; }, "among data");
  expect_problem([](ElfImage& i) { i.sections[4].type = 2; }, "two symbol tables");
  expect_problem([](ElfImage& i) { i.sections.push_back(i.sections[2]); }, "overlap");
}

// A few bytes must not ask for gigabytes.
TEST(ElfFile, ContentBehindManyZeroesIsRefused) {
  expect_problem(
      [](ElfImage& i) {
        i.sections[4].size_bytes = 0x20000000;
        i.sections.push_back({.name = ".late", .flags = 3, .address = 0x20030080, .bytes = {1}});
      },
      "zeroes");
}

TEST(ElfFile, RelocationsAreChecked) {
  const auto with = [](ImageRelocation r) {
    return [r](ElfImage& i) { i.sections[6].bytes = relocation_bytes({r}); };
  };
  expect_problem(with({0x30008, 2, 7, 0}), "symbol that does not exist");
  expect_problem(with({0x30020, 2, 1, 0}), "outside of .data");
  expect_problem(with({0x30008, 2, 1, 1}), "is no code");
  expect_problem(with({0x30008, 300, 1, 0}), "unknown type");
  expect_problem(with({0x30008, 10, 1, 0}), "-femulated-tls");
  expect_problem(with({0x30008, 36, 1, 0}), "distance between places in code");
  expect_problem([](ElfImage& i) { i.sections[6].bytes.pop_back(); }, "broken size");
  expect_problem([](ElfImage& i) { i.sections[6].type = 9; }, "without addends");
  expect_problem([](ElfImage& i) { i.sections.resize(5); }, "--emit-relocs");
}

TEST(ElfFile, RecordsAreChecked) {
  const auto with = [](size_t at, uint8_t value) {
    return [=](ElfImage& i) { i.sections[3].bytes[at] = value; };
  };
  expect_problem(with(8, 2), "damaged export");
  expect_problem(with(9, 1), "damaged export");
  expect_problem(with(10, 0), "damaged export");
  expect_problem(with(10, 40), "damaged export");
  expect_problem([](ElfImage& i) { i.sections[7].bytes.clear(); }, "damaged export");
  expect_problem([](ElfImage& i) { i.sections[3].bytes.resize(10); }, "damaged export");
  expect_problem([](ElfImage& i) { i.symbols[0].value += 0x10; }, "no function");
  expect_problem([](ElfImage& i) { i.symbols[0].value += 1; }, "no function");
}

TEST(ElfFile, EveryTruncationIsRefused) {
  const Bytes file = small_image().bytes();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(link({file.data(), size})) << size;
  }
}

// Whatever it says, it says it without a crash, and what it accepts is a program.
TEST(ElfFile, DamagedBytesCrashNothing) {
  const Bytes file = small_image().bytes();
  std::mt19937 random(11);
  size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes damaged = file;
    for (uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
      damaged[random() % damaged.size()] = static_cast<uint8_t>(random() % 4 == 0 ? 0xff : random());
    }
    const LinkResult result = link(damaged);
    EXPECT_EQ(result.program == nullptr, !result.problems.empty());
    refused += result.program == nullptr;
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace sandglass::linker
