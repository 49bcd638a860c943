//! The frame around a program: an ELF64 header and one program header, so that the kernel loads it.
//!
//! The whole file is one segment, readable and executable, mapped at [`BASE`]; the program begins right after the
//! two headers. Nothing is linked or relocated, so the program addresses its data relative to itself.

/// Address of the file's first byte in memory.
const BASE: u64 = 0x40_0000;
/// Size of the ELF header.
const ELF_HEADER: u16 = 64;
/// Size of one program header.
const PROGRAM_HEADER: u16 = 56;
/// The largest page size of the supported kernels (64 KiB on some aarch64 ones).
const ALIGNMENT: u64 = 0x1_0000;

/// Machine number of the ELF header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// `EM_X86_64`.
    X86_64 = 62,
    /// `EM_AARCH64`.
    Aarch64 = 183,
}

/// A static ELF executable of `program`, whose first byte is the entry point.
pub(super) fn executable(machine: Machine, program: &[u8]) -> Vec<u8> {
    let headers = u64::from(ELF_HEADER + PROGRAM_HEADER);
    let size = headers + program.len() as u64;
    let mut file = Vec::with_capacity(size as usize);
    file.extend([0x7f, b'E', b'L', b'F']);
    file.extend([2, 1, 1, 0]); // 64 bits, little endian, ELF version 1, System V
    file.extend([0; 8]);
    half(&mut file, 2); // ET_EXEC
    half(&mut file, machine as u16);
    word(&mut file, 1); // ELF version
    long(&mut file, BASE + headers); // entry point
    long(&mut file, ELF_HEADER.into()); // program headers begin
    long(&mut file, 0); // no section headers
    word(&mut file, 0); // no flags
    for value in [ELF_HEADER, PROGRAM_HEADER, 1, 0, 0, 0] {
        half(&mut file, value); // sizes and numbers of headers
    }
    word(&mut file, 1); // PT_LOAD
    word(&mut file, 5); // readable, executable
    for value in [0, BASE, BASE, size, size, ALIGNMENT] {
        long(&mut file, value); // offset, virtual and physical address, size in file and in memory, alignment
    }
    file.extend(program);
    file
}

fn half(file: &mut Vec<u8>, value: u16) {
    file.extend(value.to_le_bytes());
}

fn word(file: &mut Vec<u8>, value: u32) {
    file.extend(value.to_le_bytes());
}

fn long(file: &mut Vec<u8>, value: u64) {
    file.extend(value.to_le_bytes());
}
