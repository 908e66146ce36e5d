// The intruders' functions; tests use their addresses only.
#pragma once

extern "C" {
// Makes the calls of the orders, one after another, and leaves as a finished guest.
void intrude_with_calls();
// Plays the worker's part of the protocol as the orders' moves say, beginning with the answer to the command
// that runs it.
void intrude_with_moves();
// rt_sigreturn(2) with the registers of the orders; `argument` says what else is forged.
void intrude_with_sigreturn();
// Jumps to a code segment of 32-bit programs and makes a system call there: int 0x80, or sysenter when the
// argument is not 0.
void intrude_through_far_jump();
// Writes to the page of the host's commands.
void intrude_into_host_page();
// Loops for ever, and writes the largest gas there is into the context and into its register.
void intrude_with_endless_gas();

// Reads a clock of the processor into the first result: the time stamp counter, by RDTSC or RDTSCP as the
// argument, 0 or 1, says, or performance counter 0 for 2.
void intrude_with_clock();

// In 32-bit mode.
extern const char intruder_int80_32[], intruder_int80_32_end[], intruder_sysenter_32[];
}
