%isa = latest32
%stack_size = 4096
%rw_data = 01 02 03
%rw_data_size = 4096
pub @main:
    i32 a0 = a0 + 1
    ret
