%stack_size = 65536

// a0 = n -> a0 = the n-th Fibonacci number, by naive recursion
pub @main:
    sp = sp - 16
    u64 [sp + 8] = ra
    ra = @done
    jump @fib
@done:
    ra = u64 [sp + 8]
    sp = sp + 16
    ret

// a0 = n -> a0 = fib(n). Frame: return address, n, fib(n - 1).
@fib:
    jump @recurse if a0 >u 1
    ret
@recurse:
    sp = sp - 24
    u64 [sp] = ra
    u64 [sp + 8] = a0
    a0 = a0 - 1
    ra = @after_first
    jump @fib
@after_first:
    u64 [sp + 16] = a0
    a0 = u64 [sp + 8]
    a0 = a0 - 2
    ra = @after_second
    jump @fib
@after_second:
    a1 = u64 [sp + 16]
    a0 = a0 + a1
    ra = u64 [sp]
    sp = sp + 24
    ret
