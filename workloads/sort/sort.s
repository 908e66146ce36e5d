%rw_data_size = 2097152

// a0 = n (2 .. 262144), a1 = seed (not 0) -> a0 = checksum of n pseudo-random numbers, sorted
// Heapsort of 64-bit numbers at 0x20000. Traps when the result is not in order.
pub @main:
    s1 = ra
    s0 = a0
    t0 = 0x20000
    t1 = a0 << 3
    t1 = t1 + t0

// Xorshift64 numbers, the seed being the state before the first.
@generate:
    a2 = a1 << 13
    a1 = a1 ^ a2
    a2 = a1 >> 7
    a1 = a1 ^ a2
    a2 = a1 << 17
    a1 = a1 ^ a2
    u64 [t0] = a1
    t0 = t0 + 8
    jump @generate if t0 <u t1

// Build the heap: sift down n/2 - 1 .. 0.
    a1 = s0
    a0 = s0 >> 1
@build:
    a0 = a0 - 1
    ra = @built_one
    jump @sift_down
@built_one:
    jump @build if a0 != 0

// Take the largest, n - 1 times: swap it behind the heap, sift the new root down.
@take:
    a1 = a1 - 1
    t0 = a1 << 3
    a2 = u64 [0x20000]
    a3 = u64 [t0 + 0x20000]
    u64 [0x20000] = a3
    u64 [t0 + 0x20000] = a2
    ra = @took_one
    jump @sift_down
@took_one:
    jump @take if a1 >u 1

// Fold: hash = (hash ^ number) * prime, as FNV-1a does with bytes.
    a0 = 0xcbf29ce484222325
    a4 = 0x100000001b3
    a2 = 0
    t0 = 0x20000
@fold:
    a3 = u64 [t0]
    jump @out_of_order if a3 <u a2
    a2 = a3
    a0 = a0 ^ a3
    a0 = a0 * a4
    t0 = t0 + 8
    jump @fold if t0 <u t1
    ra = s1
    ret
@out_of_order:
    trap

// a0 = root (kept), a1 = size of the heap (kept). Uses t0, t2, a2 .. a5.
@sift_down:
    t0 = a0 << 3
    a2 = u64 [t0 + 0x20000]
    a3 = a0
@descend:
    a4 = a3 << 1
    a4 = a4 + 1
    jump @place if a4 >=u a1
    t0 = a4 << 3
    a5 = u64 [t0 + 0x20000]
    t2 = a4 + 1
    jump @compare if t2 >=u a1
    t0 = u64 [t0 + 0x20008]
    jump @compare if t0 <=u a5
    a5 = t0
    a4 = t2
@compare:
    jump @place if a5 <=u a2
    t0 = a3 << 3
    u64 [t0 + 0x20000] = a5
    a3 = a4
    jump @descend
@place:
    t0 = a3 << 3
    u64 [t0 + 0x20000] = a2
    ret
