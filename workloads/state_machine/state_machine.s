// 64 characters the text is made of: letters, digits, blanks, line ends, quotes, a hash, dots, punctuation.
%ro_data_size = 64
%ro_data = 65 74 61 6f 69 6e 73 68 72 64 6c 75 63 6d 66 77 79 70 76 62 67 6b 6a 71 78 7a 65 74 61 30 31 32 33 34 35 36 37 38 39 20 20 20 20 20 20 20 20 20 20 20 0a 0a 0a 22 22 23 2e 2e 2e 2b 2d 3d 28 3b
%rw_data_size = 1114112

// a0 = n (1 .. 1048576), a1 = repetitions (> 0) -> a0 = checksum of the tokens in n pseudo-random characters
//
// The text lies at 0x30000 and ends with a zero byte. Kinds of token: 1 word, 2 number, 3 string, 4 comment,
// 5 anything else. hash = (hash ^ (length << 3 | kind)) * prime, over all tokens of all repetitions.
pub @main:
    s0 = a1
    t0 = 0x30000
    t1 = a0 + 0x30000
    a2 = 0x9e3779b97f4a7c15
    a3 = 0x5851f42d4c957f2d
    a4 = 0x14057b7ef767814f
@generate:
    a2 = a2 * a3
    a2 = a2 + a4
    a5 = a2 >> 58
    a5 = u8 [a5 + 0x10000]
    u8 [t0] = a5
    t0 = t0 + 1
    jump @generate if t0 <u t1
    u8 [t0] = 0

    a0 = 0xcbf29ce484222325
    a4 = 0x100000001b3
@again:
    t0 = 0x30000

// Between tokens. t1 = start of the token, t0 = next character.
@next:
    a1 = u8 [t0]
    t1 = t0
    t0 = t0 + 1
    jump @next if a1 == 32
    jump @next if a1 == 10
    a2 = a1 - 97
    jump @word if a2 <u 26
    a2 = a1 - 48
    t2 = 0
    jump @number if a2 <u 10
    jump @string if a1 == 34
    jump @comment if a1 == 35
    jump @end if a1 == 0
    a3 = 5

@token:
    a2 = t0 - t1
    a2 = a2 << 3
    a2 = a2 | a3
    a0 = a0 ^ a2
    a0 = a0 * a4
    jump @next

// Letters and digits.
@word:
    a1 = u8 [t0]
    a2 = a1 - 97
    jump @word_goes_on if a2 <u 26
    a2 = a1 - 48
    jump @word_goes_on if a2 <u 10
    a3 = 1
    jump @token
@word_goes_on:
    t0 = t0 + 1
    jump @word

// Digits with at most one dot. t2 = a dot was seen.
@number:
    a1 = u8 [t0]
    a2 = a1 - 48
    jump @number_goes_on if a2 <u 10
    jump @number_ends if a1 != 46
    jump @number_ends if t2 != 0
    t2 = 1
@number_goes_on:
    t0 = t0 + 1
    jump @number
@number_ends:
    a3 = 2
    jump @token

// Up to the closing quote or the end of the text.
@string:
    a1 = u8 [t0]
    jump @string_ends if a1 == 0
    t0 = t0 + 1
    jump @string if a1 != 34
@string_ends:
    a3 = 3
    jump @token

// Up to the end of the line or of the text.
@comment:
    a1 = u8 [t0]
    jump @comment_ends if a1 == 10
    jump @comment_ends if a1 == 0
    t0 = t0 + 1
    jump @comment
@comment_ends:
    a3 = 4
    jump @token

@end:
    s0 = s0 - 1
    jump @again if s0 != 0
    ret
