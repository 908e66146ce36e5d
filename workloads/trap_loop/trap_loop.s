// a0 = n -> a0 = n, after n traps. The host goes on at "resume" after each.
pub @main:
    s0 = a0
    s1 = 0
pub @resume:
    jump @done if s1 == s0
    s1 = s1 + 1
    trap
@done:
    a0 = s1
    ret
