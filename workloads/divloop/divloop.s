// a0 = n (> 0) -> a0 = quotients and remainders of a constant by n, n - 1, .. 1, folded with xor and +
pub @main:
    a1 = 0xfedcba9876543210
    a4 = 0
@loop:
    a2 = a1 /u a0
    a3 = a1 %u a0
    a4 = a4 ^ a2
    a4 = a4 + a3
    a0 = a0 - 1
    jump @loop if a0 != 0
    a0 = a4
    ret
