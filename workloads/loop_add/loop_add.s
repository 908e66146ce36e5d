// a0 = n (> 0) -> a0 = 1 + 2 + .. + n
pub @main:
    a1 = 0
@loop:
    a1 = a1 + a0
    a0 = a0 - 1
    jump @loop if a0 != 0
    a0 = a1
    ret
