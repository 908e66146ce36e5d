// a0 = n (> 0) -> a0 = n, after n host calls with the number 0
pub @main:
    s0 = a0
    s1 = 0
@loop:
    ecalli 0
    s1 = s1 + 1
    jump @loop if s1 != s0
    a0 = s1
    ret
