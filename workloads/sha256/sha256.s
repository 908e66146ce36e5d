// Round constants K (at 0x10000), then the initial hash value (at 0x10100): FIPS 180-4, sections 4.2.2 and 5.3.3.
%ro_data_size = 288
%ro_data = 98 2f 8a 42 91 44 37 71 cf fb c0 b5 a5 db b5 e9 5b c2 56 39 f1 11 f1 59 a4 82 3f 92 d5 5e 1c ab 98 aa 07 d8 01 5b 83 12 be 85 31 24 c3 7d 0c 55 74 5d be 72 fe b1 de 80 a7 06 dc 9b 74 f1 9b c1 c1 69 9b e4 86 47 be ef c6 9d c1 0f cc a1 0c 24 6f 2c e9 2d aa 84 74 4a dc a9 b0 5c da 88 f9 76 52 51 3e 98 6d c6 31 a8 c8 27 03 b0 c7 7f 59 bf f3 0b e0 c6 47 91 a7 d5 51 63 ca 06 67 29 29 14 85 0a b7 27 38 21 1b 2e fc 6d 2c 4d 13 0d 38 53 54 73 0a 65 bb 0a 6a 76 2e c9 c2 81 85 2c 72 92 a1 e8 bf a2 4b 66 1a a8 70 8b 4b c2 a3 51 6c c7 19 e8 92 d1 24 06 99 d6 85 35 0e f4 70 a0 6a 10 16 c1 a4 19 08 6c 37 1e 4c 77 48 27 b5 bc b0 34 b3 0c 1c 39 4a aa d8 4e 4f ca 9c 5b f3 6f 2e 68 ee 82 8f 74 6f 63 a5 78 14 78 c8 84 08 02 c7 8c fa ff be 90 eb 6c 50 a4 f7 a3 f9 be f2 78 71 c6 67 e6 09 6a 85 ae 67 bb 72 f3 6e 3c 3a f5 4f a5 7f 52 0e 51 8c 68 05 9b ab d9 83 1f 19 cd e0 5b
%rw_data_size = 1114112

// a0 = length in bytes (at most 1 MiB), a1 = repetitions (> 0) -> a0 = first 8 bytes of the SHA-256 digest,
// read as a big-endian number. The host writes the message first; padding is written behind it.
//
// RW data: 0x30000   message and padding
//          0x13f000  message schedule, 64 words
//          0x13f100  hash value, 8 words in this machine's byte order: the digest is left here
//          0x13f120  next block; 0x13f128  end of the padded message
//          0x13f130  repetitions left; 0x13f138  return address; 0x13f140  length
pub @main:
    u64 [0x13f130] = a1
    u64 [0x13f138] = ra
    u64 [0x13f140] = a0
@again:
    a0 = u64 [0x13f140]

// Padding: 0x80, zeros, and the length in bits in the last 8 bytes of a block.
    t0 = a0 + 0x30000
    u8 [t0] = 0x80
    t1 = a0 + 72
    t1 = t1 & -64
    t1 = t1 + 0x30000
    u64 [0x13f128] = t1
    t2 = t1 - 8
@zero:
    t0 = t0 + 1
    jump @put_length if t0 >=u t2
    u8 [t0] = 0
    jump @zero
@put_length:
    a0 = a0 << 3
    a0 = reverse a0
    u64 [t2] = a0

    a0 = u64 [0x10100]
    u64 [0x13f100] = a0
    a0 = u64 [0x10108]
    u64 [0x13f108] = a0
    a0 = u64 [0x10110]
    u64 [0x13f110] = a0
    a0 = u64 [0x10118]
    u64 [0x13f118] = a0
    a0 = 0x30000
    u64 [0x13f120] = a0

// One block. The first 16 words of the schedule are the message, read as big-endian words.
@block:
    t0 = 0x13f000
    t1 = u64 [0x13f120]
    t2 = t1 + 64
    u64 [0x13f120] = t2
@load:
    a0 = u32 [t1]
    a0 = reverse a0
    a0 = a0 >> 32
    u32 [t0] = a0
    t0 = t0 + 4
    t1 = t1 + 4
    jump @load if t1 <u t2

// The others: w[i] = w[i - 16] + s0(w[i - 15]) + w[i - 7] + s1(w[i - 2]). Sums are 64 bits wide, with garbage
// in the upper half: only the lower half is ever stored or rotated.
@extend:
    a0 = u32 [t0 + -60]
    i32 a1 = a0 >>r 7
    i32 a2 = a0 >>r 18
    a1 = a1 ^ a2
    a0 = a0 >> 3
    a1 = a1 ^ a0
    a3 = u32 [t0 + -8]
    i32 a4 = a3 >>r 17
    i32 a5 = a3 >>r 19
    a4 = a4 ^ a5
    a3 = a3 >> 10
    a4 = a4 ^ a3
    a2 = u32 [t0 + -64]
    a5 = u32 [t0 + -28]
    a1 = a1 + a4
    a1 = a1 + a2
    a1 = a1 + a5
    u32 [t0] = a1
    t0 = t0 + 4
    jump @extend if t0 <u 0x13f100

// 64 rounds on a .. h = s0 s1 a0 a1 a2 a3 a4 a5. K lies 1241088 bytes below the schedule.
    s0 = u32 [0x13f100]
    s1 = u32 [0x13f104]
    a0 = u32 [0x13f108]
    a1 = u32 [0x13f10c]
    a2 = u32 [0x13f110]
    a3 = u32 [0x13f114]
    a4 = u32 [0x13f118]
    a5 = u32 [0x13f11c]
    t0 = 0x13f000
@round:
// t1 = h + S1(e) + ch(e, f, g) + K[i] + w[i], kept in a5
    i32 t1 = a2 >>r 6
    i32 t2 = a2 >>r 11
    t1 = t1 ^ t2
    i32 t2 = a2 >>r 25
    t1 = t1 ^ t2
    a5 = a5 + t1
    t1 = a3 ^ a4
    t1 = t1 & a2
    t1 = t1 ^ a4
    a5 = a5 + t1
    t1 = u32 [t0 + -1241088]
    a5 = a5 + t1
    t1 = u32 [t0]
    a5 = a5 + t1
// t2 = S0(a) + maj(a, b, c), kept in t1
    i32 t1 = s0 >>r 2
    i32 t2 = s0 >>r 13
    t1 = t1 ^ t2
    i32 t2 = s0 >>r 22
    t1 = t1 ^ t2
    t2 = s0 | s1
    t2 = t2 & a0
    ra = s0 & s1
    t2 = t2 | ra
    t1 = t1 + t2
// h, g, f, e = g, f, e, d + t1; d, c, b, a = c, b, a, t1 + t2
    ra = a5 + t1
    a1 = a1 + a5
    a5 = a4
    a4 = a3
    a3 = a2
    a2 = a1
    a1 = a0
    a0 = s1
    s1 = s0
    s0 = ra
    t0 = t0 + 4
    jump @round if t0 <u 0x13f100

    t0 = u32 [0x13f100]
    s0 = s0 + t0
    u32 [0x13f100] = s0
    t0 = u32 [0x13f104]
    s1 = s1 + t0
    u32 [0x13f104] = s1
    t0 = u32 [0x13f108]
    a0 = a0 + t0
    u32 [0x13f108] = a0
    t0 = u32 [0x13f10c]
    a1 = a1 + t0
    u32 [0x13f10c] = a1
    t0 = u32 [0x13f110]
    a2 = a2 + t0
    u32 [0x13f110] = a2
    t0 = u32 [0x13f114]
    a3 = a3 + t0
    u32 [0x13f114] = a3
    t0 = u32 [0x13f118]
    a4 = a4 + t0
    u32 [0x13f118] = a4
    t0 = u32 [0x13f11c]
    a5 = a5 + t0
    u32 [0x13f11c] = a5
    t1 = u64 [0x13f120]
    t2 = u64 [0x13f128]
    jump @block if t1 <u t2

    t0 = u64 [0x13f130]
    t0 = t0 - 1
    u64 [0x13f130] = t0
    jump @again if t0 != 0

    a0 = u32 [0x13f100]
    a1 = u32 [0x13f104]
    a0 = a0 << 32
    a0 = a0 | a1
    ra = u64 [0x13f138]
    ret
