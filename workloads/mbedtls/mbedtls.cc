// Encrypting and authenticating records: workloads/mbedtls/README.md.
#include <mbedtls/aes.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/sha256.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr size_t kRecordBytes = 16 * 1024;  // the largest of TLS
constexpr size_t kKeyBytes = 16;
constexpr size_t kBlockBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kHashBytes = 32;

uint8_t record[kRecordBytes];
uint8_t encrypted[kRecordBytes];
uint8_t decrypted[kRecordBytes];

struct Secrets {
  uint8_t key[kKeyBytes];
  uint8_t start[kBlockBytes];  // the initial vector, and the nonce in its first bytes
  uint8_t authentication[kHashBytes];
};

void fill(void* bytes, size_t count, Random& random) {
  for (size_t at = 0; at < count; at += 8) {
    uint64_t word = random.next();
    memcpy(static_cast<uint8_t*>(bytes) + at, &word, sizeof(word));
  }
}

bool came_back() { return memcmp(record, decrypted, kRecordBytes) == 0; }

// CBC goes on from where the vector is left, so each direction needs one of its own.
bool cbc(const Secrets& secrets) {
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  uint8_t vector[kBlockBytes];
  memcpy(vector, secrets.start, kBlockBytes);
  int failed = mbedtls_aes_setkey_enc(&aes, secrets.key, 8 * kKeyBytes);
  failed |= mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, kRecordBytes, vector, record, encrypted);
  memcpy(vector, secrets.start, kBlockBytes);
  failed |= mbedtls_aes_setkey_dec(&aes, secrets.key, 8 * kKeyBytes);
  failed |= mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, kRecordBytes, vector, encrypted, decrypted);
  mbedtls_aes_free(&aes);
  return failed == 0 && came_back();
}

// Leaves the tag, with which a changed record does not pass.
bool gcm(const Secrets& secrets, uint8_t tag[kBlockBytes], uint32_t bit) {
  mbedtls_gcm_context context;
  mbedtls_gcm_init(&context);
  int failed = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, secrets.key, 8 * kKeyBytes);
  failed |= mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, kRecordBytes, secrets.start, kNonceBytes,
                                      nullptr, 0, record, encrypted, kBlockBytes, tag);
  auto open = [&] {
    return mbedtls_gcm_auth_decrypt(&context, kRecordBytes, secrets.start, kNonceBytes, nullptr, 0, tag,
                                    kBlockBytes, encrypted, decrypted);
  };
  bool opened = open() == 0 && came_back();
  encrypted[bit / 8] ^= 1 << bit % 8;
  bool rejected = open() == MBEDTLS_ERR_GCM_AUTH_FAILED;
  encrypted[bit / 8] ^= 1 << bit % 8;
  mbedtls_gcm_free(&context);
  return failed == 0 && opened && rejected;
}

bool authenticate(const Secrets& secrets, Checksum& checksum) {
  uint8_t code[kHashBytes];
  const mbedtls_md_info_t* sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  if (mbedtls_md_hmac(sha256, secrets.authentication, kHashBytes, encrypted, kRecordBytes, code) != 0)
    return false;
  checksum.add_bytes(code, sizeof(code));
  return true;
}

bool hash(Checksum& checksum) {
  uint8_t digest[kHashBytes];
  if (mbedtls_sha256_ret(record, kRecordBytes, digest, 0) != 0) return false;
  checksum.add_bytes(digest, sizeof(digest));
  return true;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    Secrets secrets;
    uint8_t tag[kBlockBytes];
    fill(&secrets, sizeof(secrets), random);
    fill(record, sizeof(record), random);
    if (!hash(checksum)) return 0;
    if (!cbc(secrets) || !authenticate(secrets, checksum)) return 0;
    if (!gcm(secrets, tag, random.below(8 * kRecordBytes)) || !authenticate(secrets, checksum)) return 0;
    checksum.add_bytes(tag, sizeof(tag));
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
