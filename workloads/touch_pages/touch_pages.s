%rw_data_size = 268435456

// a0 = n (1 .. 65536) -> a0 = n, the first 8 bytes of the area, after one store to each of n pages of 4 KiB
pub @main:
    t0 = 0x20000
@loop:
    u64 [t0] = a0
    t0 = t0 + 0x1000
    a0 = a0 - 1
    jump @loop if a0 != 0
    a0 = u64 [0x20000]
    ret
