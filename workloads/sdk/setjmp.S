# setjmp and longjmp: what a callee keeps under LP64E are ra, sp, s0 and s1.

  .section .text.setjmp, "ax", @progbits
  .globl setjmp, _setjmp, sigsetjmp, __setjmp, __sigsetjmp
  .type setjmp, @function
setjmp:
_setjmp:
__setjmp:
sigsetjmp:
__sigsetjmp:
  sd ra, 0(a0)
  sd sp, 8(a0)
  sd s0, 16(a0)
  sd s1, 24(a0)
  li a0, 0
  ret
  .size setjmp, . - setjmp

  .section .text.longjmp, "ax", @progbits
  .globl longjmp, _longjmp, siglongjmp
  .type longjmp, @function
longjmp:
_longjmp:
siglongjmp:
  ld ra, 0(a0)
  ld sp, 8(a0)
  ld s0, 16(a0)
  ld s1, 24(a0)
  seqz a0, a1        # longjmp(buffer, 0) returns 1
  add a0, a0, a1
  ret
  .size longjmp, . - longjmp
