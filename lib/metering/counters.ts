import { Counter } from '../native/meter.js'

/**
 * How much a scope used between two readings. A field is there only if it could be measured: what is absent is not known, and is not zero.
 */
export interface Usage {
  /** ms that passed, CLOCK_MONOTONIC */
  wall: number
  /** ms of CPU time */
  cpu?: number
  cpuUser?: number
  cpuSystem?: number
  /** bytes of memory in use at the second reading: of a process its resident set */
  memory?: number
  /** bytes: the most that was ever in use, where it was reached between the readings */
  memoryPeak?: number
  /** bytes fetched from, and bound for, a device: what the page cache served is not among them, and tmpfs has no device */
  diskRead?: number
  diskWritten?: number
  /** bytes; of the host only, for the kernel counts them by network namespace */
  networkReceived?: number
  networkSent?: number
  /** voluntary and not */
  contextSwitches?: number
  /** minor and major */
  pageFaults?: number
  instructions?: number
  cycles?: number
}

export type UsageField = keyof Usage

/** Where each value stands in a reading. */
export const COUNTERS: readonly (readonly [field: UsageField, at: Counter])[] = [
  ['wall', Counter.Wall],
  ['cpu', Counter.Cpu],
  ['cpuUser', Counter.CpuUser],
  ['cpuSystem', Counter.CpuSystem],
  ['memory', Counter.Memory],
  ['memoryPeak', Counter.MemoryPeak],
  ['diskRead', Counter.DiskRead],
  ['diskWritten', Counter.DiskWritten],
  ['networkReceived', Counter.NetworkReceived],
  ['networkSent', Counter.NetworkSent],
  ['contextSwitches', Counter.ContextSwitches],
  ['pageFaults', Counter.PageFaults],
  ['instructions', Counter.Instructions],
  ['cycles', Counter.Cycles]
]

/** Numbers that a reading of level `time` takes in a buffer. */
export const TIME_LENGTH = 2
/** Numbers that a reading of level `all` takes. */
export const ALL_LENGTH = 14
