// Uses every built-in host function, and every way of being stopped.
%import 'log'
%import 'put_u64'
%import 'clock_ns'
%ro_data = 68 65 6c 6c 6f 0a 1b 5b 41 0a

// Prints "hello", a line that tries to move the cursor, and the sum of its arguments, which it returns.
pub @main:
    a2 = a0 + a1
    a0 = 0x10000
    a1 = 10
    ecalli 'log'
    a0 = a2
    ecalli 'put_u64'
    ret

// The clock does not go back: 1.
pub @clock:
    ecalli 'clock_ns'
    s0 = a0
    ecalli 'clock_ns'
    a0 = a0 <u s0
    a0 = a0 ^ 1
    ret

pub @steal:
    s0 = 0xdeadbe00
    a0 = u64 [s0 + 8]
    ret

pub @overwrite:
    u32 [0x10000] = 1
    ret

pub @give_up:
    a0 = 7
    trap

pub @spin:
    jump @spin

pub @log_nowhere:
    a0 = 3
    a1 = 9
    ecalli 'log'
    ret

pub @log_everything:
    a0 = 0x10000
    a1 = 0x7fffffff
    ecalli 'log'
    ret

pub @call_the_unknown:
    ecalli 7
    ret
