/**
 * The program that holds a pod's namespaces, as a complete ELF file made here byte by byte: no compiler is needed and
 * nothing is downloaded. In C it would be:
 *
 *   rt_sigprocmask(SIG_BLOCK, {SIGINT, SIGTERM})   a process with pid 1 loses signals that it neither handles nor blocks
 *   rt_sigaction(SIGCHLD, SIG_IGN)                 the kernel then reaps every orphan that falls to pid 1 (sigaction(2))
 *   do got = rt_sigtimedwait({SIGINT, SIGTERM}, NULL, no limit)
 *   while (got < 0)                                a stop and continue interrupts the wait
 *   exit_group(0)
 */
export type PauseArchitecture = 'amd64' | 'arm64'

const loadAddress = 0x40_0000
const fileHeaderBytes = 64
const programHeaderBytes = 56
const codeOffset = fileHeaderBytes + 2 * programHeaderBytes

const signals = { interrupt: 2, terminate: 15, child: 17 }
/** The size of the kernel's signal set, which every signal call wants to be told. */
const signalSetBytes = 8

interface Machine {
  /** `e_machine` of the ELF header. */
  readonly elfMachine: number
  readonly assemble: (setAddress: number, ignoreAddress: number) => Buffer
}

const machines: Readonly<Record<PauseArchitecture, Machine>> = {
  amd64: { elfMachine: 62, assemble: assembleAmd64 },
  arm64: { elfMachine: 183, assemble: assembleArm64 },
}

/** The whole executable for one architecture, about 350 bytes. */
export function pauseProgram(architecture: PauseArchitecture): Buffer {
  const { elfMachine, assemble } = machines[architecture]
  // The code's length does not depend on the addresses, so a first pass tells where the data after it will lie.
  const dataOffset = (codeOffset + assemble(0, 0).length + 7) & ~7
  const setAddress = loadAddress + dataOffset
  const code = assemble(setAddress, setAddress + signalSetBytes)
  const padding = Buffer.alloc(dataOffset - codeOffset - code.length)
  const body = Buffer.concat([code, padding, signalData()])
  const totalBytes = codeOffset + body.length
  return Buffer.concat([fileHeader(elfMachine), loadHeader(totalBytes), stackHeader(), body])
}

/** The set {SIGINT, SIGTERM}, then a `struct sigaction` with SIG_IGN and nothing else. */
function signalData(): Buffer {
  const data = Buffer.alloc(signalSetBytes + 32)
  data.writeBigUInt64LE((1n << BigInt(signals.interrupt - 1)) | (1n << BigInt(signals.terminate - 1)), 0)
  data.writeBigUInt64LE(1n, signalSetBytes)
  return data
}

function assembleAmd64(setAddress: number, ignoreAddress: number): Buffer {
  const clear = { edi: [0x31, 0xff], esi: [0x31, 0xf6], edx: [0x31, 0xd2] }
  const edi = (value: number): number[] => [0xbf, ...littleEndian(value)]
  const esi = (value: number): number[] => [0xbe, ...littleEndian(value)]
  const call = (number: number): number[] => [0xb8, ...littleEndian(number), 0x0f, 0x05]
  // mov r10d, 8: the fourth argument of all three signal calls; system calls keep the register.
  const setSize = [0x41, 0xba, ...littleEndian(signalSetBytes)]
  const prepare = [
    setSize,
    clear.edi,
    esi(setAddress),
    clear.edx,
    call(14),
    edi(signals.child),
    esi(ignoreAddress),
    call(13),
  ]
  const wait = [...edi(setAddress), ...clear.esi, ...clear.edx, ...call(128), 0x85, 0xc0]
  // test eax, eax above; js back to the start of the wait.
  const again = [0x78, 0x100 - (wait.length + 2)]
  return Buffer.from([...prepare.flat(), ...wait, ...again, ...clear.edi, ...call(231)])
}

function assembleArm64(setAddress: number, ignoreAddress: number): Buffer {
  const move = (register: number, value: number): number => 0xd280_0000 + value * 32 + register
  const moveHigh = (register: number, value: number): number => 0xf2a0_0000 + value * 32 + register
  const address = (register: number, value: number): number[] => [
    move(register, value & 0xffff),
    moveHigh(register, value >>> 16),
  ]
  const call = (number: number): number[] => [move(8, number), 0xd400_0001]
  const block = [move(0, 0), ...address(1, setAddress), move(2, 0), move(3, signalSetBytes), ...call(135)]
  const ignore = [move(0, signals.child), ...address(1, ignoreAddress), move(2, 0), ...call(134)]
  const wait = [...address(0, setAddress), move(1, 0), move(2, 0), ...call(137)]
  // tbnz w0, #31: back to the start of the wait when the result is negative.
  const again = 0x3700_0000 + 31 * 0x8_0000 + (0x4000 - wait.length) * 32
  return Buffer.from([...block, ...ignore, ...wait, again, move(0, 0), ...call(94)].flatMap(littleEndian))
}

function littleEndian(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff]
}

/** `Elf64_Ehdr`: little endian, System V, executable; no sections. */
function fileHeader(elfMachine: number): Buffer {
  const header = Buffer.alloc(fileHeaderBytes)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(elfMachine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(loadAddress + codeOffset), 24)
  header.writeBigUInt64LE(BigInt(fileHeaderBytes), 32)
  header.writeUInt16LE(fileHeaderBytes, 52)
  header.writeUInt16LE(programHeaderBytes, 54)
  header.writeUInt16LE(2, 56)
  header.writeUInt16LE(64, 58)
  return header
}

/** `Elf64_Phdr` of type PT_LOAD: the whole file, readable and executable. */
function loadHeader(totalBytes: number): Buffer {
  const header = Buffer.alloc(programHeaderBytes)
  header.writeUInt32LE(1, 0)
  header.writeUInt32LE(5, 4)
  header.writeBigUInt64LE(BigInt(loadAddress), 16)
  header.writeBigUInt64LE(BigInt(loadAddress), 24)
  header.writeBigUInt64LE(BigInt(totalBytes), 32)
  header.writeBigUInt64LE(BigInt(totalBytes), 40)
  // The largest page size in use, 64 KiB on some arm64 kernels.
  header.writeBigUInt64LE(0x1_0000n, 48)
  return header
}

/** `Elf64_Phdr` of type PT_GNU_STACK: the stack is not executable. */
function stackHeader(): Buffer {
  const header = Buffer.alloc(programHeaderBytes)
  header.writeUInt32LE(0x6474_e551, 0)
  header.writeUInt32LE(6, 4)
  return header
}
