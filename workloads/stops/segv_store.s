// Stores to a0, where the guest has no memory.
pub @main:
    u64 [a0] = a0
    ret
