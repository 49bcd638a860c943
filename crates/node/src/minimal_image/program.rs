//! The machine code of the minimal program, one listing per architecture, with the instructions beside the bytes.
//!
//! ```text
//! rt_sigprocmask(SIG_BLOCK, &set, NULL, 8)       a blocked signal stays pending, also for process 1
//! write(1, greeting, 33)                         one line, so that a log has something to show
//! do { n = rt_sigtimedwait(&set, NULL, NULL, 8) } while (n < 0)
//! exit_group(0)
//! ```
//!
//! `set` holds SIGINT (2) and SIGTERM (15). It stands at offset 0x58 of both programs, the greeting behind it.

/// The program for `x86_64`.
#[rustfmt::skip]
pub(super) const X86_64: [u8; 0x81] = [
    0xb8, 0x0e, 0x00, 0x00, 0x00,             // 00  mov eax, 14           rt_sigprocmask
    0x31, 0xff,                               // 05  xor edi, edi          SIG_BLOCK
    0x48, 0x8d, 0x35, 0x4a, 0x00, 0x00, 0x00, // 07  lea rsi, [rip+0x4a]   set
    0x31, 0xd2,                               // 0e  xor edx, edx
    0x41, 0xba, 0x08, 0x00, 0x00, 0x00,       // 10  mov r10d, 8
    0x0f, 0x05,                               // 16  syscall
    0xb8, 0x01, 0x00, 0x00, 0x00,             // 18  mov eax, 1            write
    0xbf, 0x01, 0x00, 0x00, 0x00,             // 1d  mov edi, 1
    0x48, 0x8d, 0x35, 0x37, 0x00, 0x00, 0x00, // 22  lea rsi, [rip+0x37]   greeting
    0xba, 0x21, 0x00, 0x00, 0x00,             // 29  mov edx, 33
    0x0f, 0x05,                               // 2e  syscall
    0xb8, 0x80, 0x00, 0x00, 0x00,             // 30  mov eax, 128          rt_sigtimedwait
    0x48, 0x8d, 0x3d, 0x1c, 0x00, 0x00, 0x00, // 35  lea rdi, [rip+0x1c]   set
    0x31, 0xf6,                               // 3c  xor esi, esi
    0x31, 0xd2,                               // 3e  xor edx, edx
    0x41, 0xba, 0x08, 0x00, 0x00, 0x00,       // 40  mov r10d, 8
    0x0f, 0x05,                               // 46  syscall
    0x48, 0x85, 0xc0,                         // 48  test rax, rax
    0x78, 0xe3,                               // 4b  js 30
    0xb8, 0xe7, 0x00, 0x00, 0x00,             // 4d  mov eax, 231          exit_group
    0x31, 0xff,                               // 52  xor edi, edi
    0x0f, 0x05,                               // 54  syscall
    0x66, 0x90,                               // 56  padding
    0x02, 0x40, 0, 0, 0, 0, 0, 0,             // 58  set
    b'l', b'o', b'n', b'g', b's', b'h', b'o', b'r', b'e', b':', b' ', b'r', b'u', b'n', b'n', b'i', b'n',
    b'g', b' ', b'u', b'n', b't', b'i', b'l', b' ', b'S', b'I', b'G', b'T', b'E', b'R', b'M', b'\n',
];

/// The program for `aarch64`; instructions are little-endian words.
#[rustfmt::skip]
pub(super) const AARCH64: [u8; 0x81] = [
    0xe8, 0x10, 0x80, 0xd2, // 00  mov x8, #135         rt_sigprocmask
    0x00, 0x00, 0x80, 0xd2, // 04  mov x0, #0           SIG_BLOCK
    0x81, 0x02, 0x00, 0x10, // 08  adr x1, 58           set
    0x02, 0x00, 0x80, 0xd2, // 0c  mov x2, #0
    0x03, 0x01, 0x80, 0xd2, // 10  mov x3, #8
    0x01, 0x00, 0x00, 0xd4, // 14  svc #0
    0x08, 0x08, 0x80, 0xd2, // 18  mov x8, #64          write
    0x20, 0x00, 0x80, 0xd2, // 1c  mov x0, #1
    0x01, 0x02, 0x00, 0x10, // 20  adr x1, 60           greeting
    0x22, 0x04, 0x80, 0xd2, // 24  mov x2, #33
    0x01, 0x00, 0x00, 0xd4, // 28  svc #0
    0x28, 0x11, 0x80, 0xd2, // 2c  mov x8, #137         rt_sigtimedwait
    0x40, 0x01, 0x00, 0x10, // 30  adr x0, 58           set
    0x01, 0x00, 0x80, 0xd2, // 34  mov x1, #0
    0x02, 0x00, 0x80, 0xd2, // 38  mov x2, #0
    0x03, 0x01, 0x80, 0xd2, // 3c  mov x3, #8
    0x01, 0x00, 0x00, 0xd4, // 40  svc #0
    0x40, 0xff, 0xff, 0xb7, // 44  tbnz x0, #63, 2c
    0xc8, 0x0b, 0x80, 0xd2, // 48  mov x8, #94          exit_group
    0x00, 0x00, 0x80, 0xd2, // 4c  mov x0, #0
    0x01, 0x00, 0x00, 0xd4, // 50  svc #0
    0x1f, 0x20, 0x03, 0xd5, // 54  nop
    0x02, 0x40, 0, 0, 0, 0, 0, 0, // 58  set
    b'l', b'o', b'n', b'g', b's', b'h', b'o', b'r', b'e', b':', b' ', b'r', b'u', b'n', b'n', b'i', b'n',
    b'g', b' ', b'u', b'n', b't', b'i', b'l', b' ', b'S', b'I', b'G', b'T', b'E', b'R', b'M', b'\n',
];
