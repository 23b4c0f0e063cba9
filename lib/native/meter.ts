/** What the addon reads of what was used: the counterpart of native/linux/counters.h and native/bind/meter.cc. */

export const enum MeterScope {
  Thread = 0, // the one that reads
  Process = 1,
  Children = 2,
  Other = 3, // another process, of the pid given
  Files = 4, // nothing but what files say
  OtherThread = 5 // of this process, of the threadId given as pid
}

/** Positions in {@link NativeMeter.counters}. Cumulative, but for memory; NaN: absent. */
export const enum Counter {
  Wall = 0, // ms, CLOCK_MONOTONIC
  Cpu = 1, // ms
  CpuUser = 2,
  CpuSystem = 3,
  Memory = 4, // bytes
  MemoryPeak = 5,
  DiskRead = 6,
  DiskWritten = 7,
  NetworkReceived = 8,
  NetworkSent = 9,
  ContextSwitches = 10,
  PageFaults = 11,
  Instructions = 12,
  Cycles = 13,
  StalledCpuSome = 14, // ms
  StalledCpuFull = 15,
  StalledMemorySome = 16,
  StalledMemoryFull = 17,
  StalledIoSome = 18,
  StalledIoFull = 19,
  Life = 20
}

/** In {@link Counter.Life}. */
export const enum Life {
  Runs = 0,
  Ended = 1, // and what is here is the kernel's last account of it
  Gone = 2 // and there is none
}

/**
 * A number of a file: column, key, counter, factor, 1 if there is none of it where it is not there.
 * Column > 0 and no key: the field of that number in the whole text; with a key: in the lines that begin with it, all added; column < 0: in
 * the lines that begin with something else. Column 0: the field after each one that is the key, all added.
 */
export type AccountTerm = readonly [column: number, key: string, counter: Counter, factor: number, orZero: 0 | 1]

/** What is read of a file; of another process the first says whether it is there. */
export type AccountFile = readonly [path: string, ...terms: AccountTerm[]]

export interface NativeMeter {
  /** Written by read(): memory that no script can take away. */
  readonly counters: Float64Array
  /** Takes no arguments: it costs a third of a call with some. After close() all is NaN. */
  read(): void
  /** The same, but what was read within the last 5 µs is not read again: native/linux/meter.h says what that means for each number. */
  readAgain(): void
  close(): void
  /** Of the files, which could be opened. */
  readonly opened: readonly boolean[]
  /** instructions and cycles: those of the kernel are not among them, because this user may not count them */
  readonly userOnly: boolean
}
