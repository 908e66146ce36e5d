// Hashing, signing and sealing messages: workloads/libsodium/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <sodium.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

// What the library calls when it is used wrongly, and where it would find new keys: neither happens here.
extern "C" void sodium_misuse() { sandglass_trap(); }
extern "C" void randombytes_buf(void*, size_t) { sandglass_trap(); }

namespace {

constexpr size_t kMessageBytes = 64 * 1024;
constexpr size_t kSealedBytes = 8 * 1024;  // of the message
constexpr size_t kTagBytes = crypto_aead_chacha20poly1305_ietf_ABYTES;

struct KeyPair {
  uint8_t open[crypto_sign_PUBLICKEYBYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
};
using Signature = uint8_t[crypto_sign_BYTES];
using Digest = uint8_t[crypto_generichash_BYTES];

uint8_t message[kMessageBytes];
uint8_t sealed[kSealedBytes + kTagBytes];
uint8_t unsealed[kSealedBytes];

void fill(uint8_t* bytes, size_t count, Random& random) {
  for (size_t at = 0; at < count; at += 8) {
    uint64_t word = random.next();
    memcpy(bytes + at, &word, sizeof(word));
  }
}

// RFC 8032, section 7.1, the second test.
bool knows_the_published_answer() {
  const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3,
                            0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab,
                            0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
  const uint8_t text[1] = {0x72};
  const Signature published = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
                               0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
                               0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
                               0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
                               0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};
  KeyPair key;
  Signature signature;
  crypto_sign_seed_keypair(key.open, key.secret, seed);
  crypto_sign_detached(signature, nullptr, text, sizeof(text), key.secret);
  return memcmp(signature, published, sizeof(signature)) == 0;
}

// Signs, verifies, and finds that one changed bit makes it another signature.
bool sign(Signature signature, const Digest digest, const KeyPair& key, uint32_t bit) {
  crypto_sign_detached(signature, nullptr, digest, sizeof(Digest), key.secret);
  if (crypto_sign_verify_detached(signature, digest, sizeof(Digest), key.open) != 0) return false;
  signature[bit / 8] ^= 1 << bit % 8;
  if (crypto_sign_verify_detached(signature, digest, sizeof(Digest), key.open) == 0) return false;
  signature[bit / 8] ^= 1 << bit % 8;
  return true;
}

bool open_seal(const uint8_t nonce[12], const uint8_t key[32]) {
  return crypto_aead_chacha20poly1305_ietf_decrypt(unsealed, nullptr, nullptr, sealed, sizeof(sealed),
                                                   nullptr, 0, nonce, key) == 0;
}

// Encrypts the start of the message, gets it back, and finds that one changed bit closes it for good.
bool seal(const uint8_t nonce[12], const uint8_t key[32], uint32_t bit) {
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed, nullptr, message, kSealedBytes, nullptr, 0, nullptr,
                                            nonce, key);
  if (!open_seal(nonce, key) || memcmp(unsealed, message, kSealedBytes) != 0) return false;
  sealed[bit / 8] ^= 1 << bit % 8;
  if (open_seal(nonce, key)) return false;
  sealed[bit / 8] ^= 1 << bit % 8;
  return true;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  if (!knows_the_published_answer()) return 0;
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    uint8_t secrets[32 + 32 + 16];  // for signing, for sealing, a nonce of 12 bytes
    fill(secrets, sizeof(secrets), random);
    fill(message, sizeof(message), random);
    KeyPair key;
    Digest digest;
    Signature signature;
    crypto_sign_seed_keypair(key.open, key.secret, secrets);
    crypto_generichash(digest, sizeof(digest), message, sizeof(message), nullptr, 0);
    if (!sign(signature, digest, key, random.below(8 * sizeof(signature)))) return 0;
    if (!seal(secrets + 64, secrets + 32, random.below(8 * sizeof(sealed)))) return 0;
    checksum.add_bytes(signature, sizeof(signature));
    checksum.add_bytes(sealed, sizeof(sealed));
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
