// Nothing to see.
pub @main:
    a0 = a0 +
