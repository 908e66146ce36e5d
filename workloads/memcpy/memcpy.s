%rw_data_size = 16777216

// a0 = bytes (a multiple of 32, at most 8 MiB), a1 = repetitions (> 0)
// Copies from 0x20000 to 0x820000. The host writes the source first. -> a0 = the first 8 bytes of the copy
pub @main:
    s0 = 0x20000
    s0 = s0 + a0
@again:
    t0 = 0x20000
    t1 = 0x820000
@loop:
    a2 = u64 [t0]
    a3 = u64 [t0 + 8]
    a4 = u64 [t0 + 16]
    a5 = u64 [t0 + 24]
    u64 [t1] = a2
    u64 [t1 + 8] = a3
    u64 [t1 + 16] = a4
    u64 [t1 + 24] = a5
    t0 = t0 + 32
    t1 = t1 + 32
    jump @loop if t0 <u s0
    a1 = a1 - 1
    jump @again if a1 != 0
    a0 = u64 [0x820000]
    ret
