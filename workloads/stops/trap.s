// Stops with a trap instruction.
pub @main:
    trap
