// Jumps to a0, which is not in the jump table.
pub @main:
    jump [a0]
