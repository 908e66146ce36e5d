%rw_data_size = 1048576

// a0 = n (a multiple of 8, at most 1048576), a1 = repetitions (> 0) -> a0 = number of primes below n
// RW data: one byte per number, 1 = composite.
pub @main:
    s0 = a0
    s1 = a1
@again:
    t0 = 0x20000
    t1 = t0 + s0
@clear:
    u64 [t0] = 0
    t0 = t0 + 8
    jump @clear if t0 <u t1
    a0 = 0
    a2 = 2
@outer:
    jump @end if a2 >=u s0
    t0 = a2 + 0x20000
    t2 = u8 [t0]
    jump @next if t2 != 0
    a0 = a0 + 1
    a3 = a2 * a2
    jump @next if a3 >=u s0
@mark:
    t0 = a3 + 0x20000
    u8 [t0] = 1
    a3 = a3 + a2
    jump @mark if a3 <u s0
@next:
    a2 = a2 + 1
    jump @outer
@end:
    s1 = s1 - 1
    jump @again if s1 != 0
    ret
