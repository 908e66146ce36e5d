// a0 = n (> 0) -> a0 = the state of a xorshift64* generator after n steps
pub @main:
    a1 = 0x9e3779b97f4a7c15
    a3 = 0x2545f4914f6cdd1d
@loop:
    a2 = a1 >> 12
    a1 = a1 ^ a2
    a2 = a1 << 25
    a1 = a1 ^ a2
    a2 = a1 >> 27
    a1 = a1 ^ a2
    a1 = a1 * a3
    a0 = a0 - 1
    jump @loop if a0 != 0
    a0 = a1
    ret
