// a0 = n (> 0) -> a0 = checksum of n blocks, each reached by an indirect jump from the one before
pub @main:
    a1 = 0
    s0 = @block0
    s1 = @block1
    t0 = @block2
    t1 = @block3
    jump [s0]
@block0:
    a1 = a1 + 1
    a0 = a0 - 1
    jump @out if a0 == 0
    jump [s1]
@block1:
    a1 = a1 + 3
    a0 = a0 - 1
    jump @out if a0 == 0
    jump [t0]
@block2:
    a1 = a1 ^ 5
    a0 = a0 - 1
    jump @out if a0 == 0
    jump [t1]
@block3:
    a1 = a1 + 7
    a0 = a0 - 1
    jump @out if a0 == 0
    jump [s0]
@out:
    a0 = a1
    ret
