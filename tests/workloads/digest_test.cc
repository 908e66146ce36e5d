// The sha256 guest against the published test vectors, whole digests.
#include <cstring>

#include <gtest/gtest.h>

#include "tests/workloads/guest.h"

namespace sandglass {
namespace {

constexpr uint32_t kDigestAddress = 0x13f100;  // eight 32-bit words; see sha256.s

struct Vector {
  std::string message;
  std::array<uint32_t, 8> digest;
};

// From NIST's example computations. A million letters a, the other well-known one, is the workload's full
// size.
const Vector kVectors[] = {
    {"", {0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924, 0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855}},
    {"abc", {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     {0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1}},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
     "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     {0xcf5b16a7, 0x78af8380, 0x036ce59e, 0x7b049237, 0x0b249b11, 0xe8f07a51, 0xafac4503, 0x7afee9d1}},
};

Result<std::array<uint32_t, 8>> digest_of(Sandbox& sandbox, std::string_view message) {
  const Workload& sha256 = *find_workload("sha256");
  const std::vector<uint8_t> bytes(message.begin(), message.end());
  SG_TRY(sandbox.write(sha256.memory_base, bytes));
  SG_TRY(sandbox.prepare_call(sha256.entry, {bytes.size(), 1}));
  SG_TRY(finish(sandbox, sha256));
  const std::vector<uint8_t> words = SG_TRY(read_guest(sandbox, kDigestAddress, 32));
  std::array<uint32_t, 8> digest;
  std::memcpy(digest.data(), words.data(), sizeof digest);
  return digest;
}

class DigestTest : public testing::TestWithParam<Backend> {};

// On one sandbox, so that the remains of a longer message lie behind a shorter one.
TEST_P(DigestTest, IsThePublishedOne) {
  auto sandbox = make_guest(find_workload("sha256")->assembly, GetParam(), GasMetering::kNone);
  ASSERT_TRUE(sandbox) << to_string(sandbox.error());
  for (int i : {0, 1, 2, 3, 2, 1, 0}) {
    const auto digest = digest_of(**sandbox, kVectors[i].message);
    ASSERT_TRUE(digest) << to_string(digest.error());
    EXPECT_EQ(*digest, kVectors[i].digest) << "vector " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DigestTest, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass
