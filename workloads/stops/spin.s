// Never ends: only gas, an interrupt or a deadline stops it.
pub @main:
@loop:
    a0 = a0 + 1
    jump @loop
