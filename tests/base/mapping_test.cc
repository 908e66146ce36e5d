#include "sandbox/base/mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <vector>

#include "sandbox/base/units.h"

namespace sandglass {
namespace {

constexpr size_t kBytes = MiB(1);

// msync(2) refuses a range with holes and does nothing else to private memory.
bool is_mapped(const void* address, size_t size_bytes) {
  return ::msync(const_cast<void*>(address), size_bytes, MS_ASYNC) == 0;
}

TEST(Mapping, AnonymousMemoryIsZeroAndWritable) {
  const Mapping mapping = *Mapping::anonymous(kBytes);
  ASSERT_EQ(mapping.size_bytes(), kBytes);
  EXPECT_EQ(std::vector<uint8_t>(mapping.data(), mapping.data() + kBytes), std::vector<uint8_t>(kBytes));
  mapping.data()[0] = 1;
  mapping.data()[kBytes - 1] = 2;
  EXPECT_EQ(mapping.data()[0] + mapping.data()[kBytes - 1], 3);
}

TEST(Mapping, HugePagesBeginWhereTheyCanAndEndWhereTheyShould) {
  constexpr size_t kOdd = 2 * kHugePageBytes + KiB(12);
  for (const size_t huge_bytes : {size_t{0}, kHugePageBytes, kOdd}) {
    const Mapping mapping = *Mapping::anonymous_huge(kOdd, huge_bytes);
    ASSERT_EQ(mapping.size_bytes(), kOdd);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mapping.data()) % kHugePageBytes, 0u);
    EXPECT_EQ(std::vector<uint8_t>(mapping.data(), mapping.data() + kOdd), std::vector<uint8_t>(kOdd));
    mapping.data()[kOdd - 1] = 1;
  }
}

TEST(Mapping, AHugePageCanBeCutAndProtected) {
  Mapping mapping = *Mapping::anonymous_huge(2 * kHugePageBytes, 2 * kHugePageBytes);
  mapping.populate(0, mapping.size_bytes());
  mapping.data()[kHugePageBytes] = 7;
  const uint8_t* const behind = mapping.data() + kHugePageBytes + KiB(4);
  mapping.shrink(kHugePageBytes + KiB(4));
  EXPECT_FALSE(is_mapped(behind, KiB(4)));
  ASSERT_EQ(::mprotect(mapping.data(), mapping.size_bytes(), PROT_READ), 0);
  EXPECT_EQ(mapping.data()[kHugePageBytes], 7);
}

TEST(Mapping, ReservationCanBeOpenedPageByPage) {
  const Mapping mapping = *Mapping::reserve(GiB(8));
  ASSERT_EQ(::mprotect(mapping.data() + GiB(4), KiB(4), PROT_READ | PROT_WRITE), 0);
  mapping.data()[GiB(4)] = 7;
  EXPECT_EQ(mapping.data()[GiB(4)], 7);
}

TEST(MappingDeathTest, ReservationIsInaccessible) {
  const Mapping mapping = *Mapping::reserve(kBytes);
  const volatile uint8_t* first = mapping.data();
  const volatile uint8_t* last = mapping.data() + kBytes - 1;
  EXPECT_DEATH((void)*first, "");
  EXPECT_DEATH((void)*last, "");
}

TEST(Mapping, UnmapsOnDestruction) {
  const uint8_t* address = nullptr;
  {
    const Mapping mapping = *Mapping::anonymous(kBytes);
    address = mapping.data();
    ASSERT_TRUE(is_mapped(address, kBytes));
  }
  EXPECT_FALSE(is_mapped(address, kBytes));
}

TEST(Mapping, MoveLeavesNothingBehind) {
  Mapping from = *Mapping::anonymous(kBytes);
  uint8_t* address = from.data();
  const Mapping to = std::move(from);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): what is left behind is the promise
  EXPECT_EQ(from.size_bytes(), 0u);
  EXPECT_EQ(to.data(), address);
  EXPECT_TRUE(is_mapped(address, kBytes));
}

TEST(Mapping, AssignmentReleasesTheOldRange) {
  Mapping mapping = *Mapping::anonymous(kBytes);
  const uint8_t* old = mapping.data();
  mapping = *Mapping::anonymous(KiB(4));
  EXPECT_FALSE(is_mapped(old, kBytes));
  EXPECT_TRUE(is_mapped(mapping.data(), KiB(4)));
}

TEST(Mapping, RefusesWhatDoesNotFit) {
  const Result<Mapping> mapping = Mapping::reserve(size_t{1} << 60);
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().kind, ErrorKind::kOs);
  EXPECT_EQ(mapping.error().os_errno, ENOMEM);
}

TEST(Mapping, RefusesNothing) { EXPECT_EQ(Mapping::anonymous(0).error().os_errno, EINVAL); }

TEST(Memfd, HasTheSizeAndIsClosedOnExec) {
  const UniqueFd fd = *create_memfd("test", 12345);
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_size, 12345);
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Memfd, RefusesAnAbsurdSize) {
  const Result<UniqueFd> fd = create_memfd("test", ~size_t{0});
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().kind, ErrorKind::kOs);
}

}  // namespace
}  // namespace sandglass
