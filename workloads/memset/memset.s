%rw_data_size = 16777216

// a0 = bytes (a multiple of 64, at most 16 MiB), a1 = repetitions (> 0)
// Repetition k fills the RW data with the byte k. -> a0 = the last 8 bytes of the area
pub @main:
    s0 = 0x20000
    s0 = s0 + a0
    a3 = 0x0101010101010101
    a4 = 0
@again:
    t0 = 0x20000
    a4 = a4 + a3
@loop:
    u64 [t0] = a4
    u64 [t0 + 8] = a4
    u64 [t0 + 16] = a4
    u64 [t0 + 24] = a4
    u64 [t0 + 32] = a4
    u64 [t0 + 40] = a4
    u64 [t0 + 48] = a4
    u64 [t0 + 56] = a4
    t0 = t0 + 64
    jump @loop if t0 <u s0
    a1 = a1 - 1
    jump @again if a1 != 0
    a0 = u64 [s0 + -8]
    ret
