// The container format of guest programs, and the bare code format inside it.
//
// blob_reader.cc and blob_writer.cc follow the grammar below line by line. The container is PolkaVM's; the
// bare code format is the Gray Paper's program blob, and the container carries it as its section 6.
//
//   blob           = magic version blob_bytes section* end
//   magic          = "PVM" 0                     4 bytes
//   version        = u8                          the InstructionSet: 0, 1, 2 or 3
//   blob_bytes     = u64                         length of the whole blob, these 13 bytes included
//   section        = id:u8 payload_bytes:varint payload
//   end            = 0:u8                        bytes behind it are ignored
//
// The sections 1 to 6 come in the order of their ids, each at most once. An id with bit 7 set is optional:
// such sections follow section 6 in any order and number, and a reader that does not know one skips it.
//
//   1  memory_config  = ro_data_bytes:varint rw_data_bytes:varint stack_bytes:varint
//   2  ro_data        = u8*                      at most ro_data_bytes; the rest of the region is zero
//   3  rw_data        = u8*                      at most rw_data_bytes; the rest of the region is zero
//   4  imports        = count:varint symbol_begin:u32{count} symbols:u8*
//   5  exports        = count:varint export{count}
//        export       = pc:varint name_bytes:varint name:u8{name_bytes}
//   6  code           = the bare code format
//
//   code           = entry_count:varint entry_bytes:u8 code_bytes:varint
//                    jump_table code:u8{code_bytes} bitmask
//   jump_table     = uint{entry_count}           code offsets of entry_bytes (0 to 4) each; none if that is 0
//   bitmask        = u8{ceil(code_bytes / 8)}    bit i, counted from the low end of byte 0, is set when an
//                                                instruction starts at code byte i; unused bits are 0
//
// Integers are little-endian and unsigned. A payload is used up exactly: bytes left over are an error.
//
// Import i is named by the symbol bytes from symbol_begin[i] to symbol_begin[i + 1], the last one by those up
// to the end. Where that range runs backwards or leaves the symbols, the import has no name; this is not an
// error. It is one when two names share bytes, which only a table with such ranges can bring about: 1024
// names of one long string would need 1024 times its memory. A linker's table has neither.
//
// Varint: the leading 1 bits of the first byte count the bytes that follow it; its other bits are the most
// significant part of the value, the following bytes the rest, least significant first.
//
//   0xxxxxxx                                7 bits          7f              127
//   10xxxxxx b0                            14 bits          80 80           128
//   110xxxxx b0 b1                         21 bits          c0 00 40        0x4000
//   1110xxxx b0 b1 b2                      28 bits          e0 00 00 20     0x200000
//   11110000 b0 b1 b2 b3                   32 bits          f0 ff ff ff ff  0xffffffff
//
// Longer encodings than needed are read; first bytes from f1 on are an error.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sandglass::blob_format {

inline constexpr std::array<uint8_t, 4> kMagic = {'P', 'V', 'M', 0};
inline constexpr size_t kVersionOffset = 4;
inline constexpr size_t kBlobBytesOffset = 5;
inline constexpr size_t kHeaderBytes = 13;
static_assert(kBlobBytesOffset + sizeof(uint64_t) == kHeaderBytes);

enum SectionId : uint8_t {
  kEnd = 0,
  kMemoryConfig = 1,
  kRoData = 2,
  kRwData = 3,
  kImports = 4,
  kExports = 5,
  kCode = 6,
  kFirstOptional = 128,
  // Optional sections in use. The library carries all of them along as they are.
  kDebugStrings = 128,
  kDebugLinePrograms = 129,
  kDebugLineProgramRanges = 130,
  kFunctionNames = 192,  // ours: function_names.h
};

constexpr bool is_optional(uint8_t id) { return id >= kFirstOptional; }

inline constexpr uint32_t kMaxJumpTableEntryBytes = 4;
// Ours, not the format's: two bytes of input become some 40 bytes of bookkeeping, and this bounds how many.
inline constexpr uint32_t kMaxExports = 1 << 20;
inline constexpr size_t kMaxOptionalSections = 1024;

inline constexpr size_t kMaxVarintBytes = 5;

struct Varint {
  uint32_t value = 0;
  size_t size_bytes = 0;
};

// Reads the varint at the front of `bytes`; nothing when it is cut off or malformed.
inline std::optional<Varint> read_varint(std::span<const uint8_t> bytes) {
  if (bytes.empty() || bytes[0] > 0xf0) return std::nullopt;
  const auto following = static_cast<size_t>(std::countl_one(bytes[0]));
  if (bytes.size() <= following) return std::nullopt;
  uint64_t value = uint64_t{bytes[0] & (0xffu >> following)} << (8 * following);
  for (size_t i = 0; i < following; ++i) value |= uint64_t{bytes[1 + i]} << (8 * i);
  return Varint{static_cast<uint32_t>(value), 1 + following};
}

// Appends the shortest varint.
inline void write_varint(std::vector<uint8_t>& out, uint32_t value) {
  const auto bits = static_cast<size_t>(std::bit_width(value));
  const size_t following = bits > 28 ? 4 : bits == 0 ? 0 : (bits - 1) / 7;
  const uint32_t prefix = 0xff00u >> following & 0xffu;
  out.push_back(static_cast<uint8_t>(prefix | static_cast<uint32_t>(uint64_t{value} >> (8 * following))));
  for (size_t i = 0; i < following; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace sandglass::blob_format
