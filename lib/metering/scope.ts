import { count, onlyKnown, refuse, text } from '../checks.js'
import { type AccountFile, Counter, MeterScope } from '../native/meter.js'
import { cgroupFiles } from './cgroup.js'
import type { UsageField } from './counters.js'
import { HOST_FILES } from './host-files.js'
import type { MeteredFile } from './metered-file.js'

/**
 * Whose use is read: of the thread that reads, of its process, of the children of the process that have ended, of another process, of a
 * worker thread of this process (by its `threadId`), of a cgroup (as /proc/PID/cgroup names it, or its folder), or of the machine.
 */
export type MeterScopeOption = 'thread' | 'process' | 'children' | 'host' | { pid: number } | { thread: number } | { cgroup: string }

export type MeterLevel = 'time' | 'all'

/** What a scope is to the addon, and how each value is measured, in words. */
export interface ScopePlan {
  scope: MeterScope
  pid: number
  files: readonly AccountFile[]
  methods: Partial<Record<UsageField, string>>
  /** how, once the process has ended */
  endMethods: Partial<Record<UsageField, string>>
}

const PID_MAX = 2 ** 22
const THREAD_MAX = 2 ** 31 - 1

const WALL = 'CLOCK_MONOTONIC'
const PERF = { instructions: 'perf_event_open(PERF_COUNT_HW_INSTRUCTIONS)', cycles: 'perf_event_open(PERF_COUNT_HW_CPU_CYCLES)' }

const rusageOf = (who: string) => ({
  cpuUser: `getrusage(${who}).ru_utime`,
  cpuSystem: `getrusage(${who}).ru_stime`,
  contextSwitches: `getrusage(${who}): ru_nvcsw + ru_nivcsw`,
  pageFaults: `getrusage(${who}): ru_minflt + ru_majflt`,
  diskRead: `getrusage(${who}).ru_inblock`,
  diskWritten: `getrusage(${who}).ru_oublock`
})

const io = (folder: string): MeteredFile => ({
  path: `${folder}/io`,
  terms: [
    [0, 'read_bytes', Counter.DiskRead, 1, 0],
    [0, 'write_bytes', Counter.DiskWritten, 1, 0]
  ],
  methods: { diskRead: `${folder}/io: read_bytes`, diskWritten: `${folder}/io: write_bytes` }
})

const TICK_MS = 10 // a hundredth of a second, which is what user space is told on every machine

const resident = (folder: string, pageBytes: number): MeteredFile => ({
  path: `${folder}/statm`,
  terms: [[2, '', Counter.Memory, pageBytes, 0]],
  methods: { memory: `${folder}/statm: resident` }
})

/** Needed also for time alone, to tell whether the process is there: what it says of CPU time comes in hundredths of a second. */
const stat = (folder: string): MeteredFile => ({
  path: `${folder}/stat`,
  terms: [
    [14, '', Counter.CpuUser, TICK_MS, 0],
    [15, '', Counter.CpuSystem, TICK_MS, 0],
    [10, '', Counter.PageFaults, 1, 0],
    [12, '', Counter.PageFaults, 1, 0]
  ],
  methods: {
    cpuUser: `${folder}/stat: utime, to ${TICK_MS} ms`,
    cpuSystem: `${folder}/stat: stime, to ${TICK_MS} ms`,
    pageFaults: `${folder}/stat: minflt + majflt`
  }
})

const ENDED = 'waitid(WEXITED | WNOWAIT), rusage'
const END_METHODS = {
  wall: WALL,
  cpu: `${ENDED}.ru_utime + ru_stime`,
  cpuUser: `${ENDED}.ru_utime`,
  cpuSystem: `${ENDED}.ru_stime`,
  memoryPeak: `${ENDED}.ru_maxrss`,
  diskRead: `${ENDED}.ru_inblock`,
  diskWritten: `${ENDED}.ru_oublock`,
  contextSwitches: `${ENDED}.ru_nvcsw + ru_nivcsw`,
  pageFaults: `${ENDED}.ru_minflt + ru_majflt`
}

/** @throws ArgumentError if it names no scope, NotFoundError if there is no such cgroup */
export function planOf(scope: MeterScopeOption, level: MeterLevel, pageBytes: number): ScopePlan {
  switch (scope) {
    case 'thread':
      return plan(MeterScope.Thread, level, [], THREAD)
    case 'process':
      return plan(MeterScope.Process, level, [resident('/proc/self', pageBytes)], PROCESS)
    case 'children':
      return plan(MeterScope.Children, level, [], CHILDREN)
    case 'host':
      return plan(MeterScope.Files, level, HOST_FILES, { wall: WALL })
    default:
      return named(scope, level, pageBytes)
  }
}

function named(scope: unknown, level: MeterLevel, pageBytes: number): ScopePlan {
  if (typeof scope !== 'object' || scope === null) {
    throw refuse('scope', "'thread', 'process', 'children', 'host', { pid }, { thread } or { cgroup }", scope)
  }
  const { pid, thread, cgroup } = scope as { pid?: unknown; thread?: unknown; cgroup?: unknown }
  onlyKnown(scope, [pid !== undefined ? 'pid' : thread !== undefined ? 'thread' : 'cgroup'], 'a scope')
  if (pid === undefined && thread !== undefined) return otherThread(count(thread, 'scope.thread', 1, THREAD_MAX), level)
  if (pid === undefined) {
    if (!text(cgroup, 'scope.cgroup').startsWith('/')) throw refuse('scope.cgroup', 'a path that begins with /', cgroup)
    return plan(MeterScope.Files, level, cgroupFiles(cgroup as string), { wall: WALL })
  }
  return otherProcess(count(pid, 'scope.pid', 1, PID_MAX), level, pageBytes)
}

const THREAD = { wall: WALL, cpu: 'CLOCK_THREAD_CPUTIME_ID', ...rusageOf('RUSAGE_THREAD'), ...PERF }

const OTHER_THREAD = { wall: WALL, cpu: 'clock_gettime(clock of the thread)' }

const PROCESS = {
  wall: WALL,
  cpu: 'CLOCK_PROCESS_CPUTIME_ID',
  ...rusageOf('RUSAGE_SELF'),
  memoryPeak: 'getrusage(RUSAGE_SELF).ru_maxrss',
  ...PERF
}

const CHILDREN = {
  wall: WALL,
  cpu: 'getrusage(RUSAGE_CHILDREN): ru_utime + ru_stime',
  ...rusageOf('RUSAGE_CHILDREN'),
  memoryPeak: 'getrusage(RUSAGE_CHILDREN).ru_maxrss, of the largest'
}

function otherThread(thread: number, level: MeterLevel): ScopePlan {
  return { ...plan(MeterScope.OtherThread, level, [], OTHER_THREAD), pid: thread, endMethods: THREAD }
}

function otherProcess(pid: number, level: MeterLevel, pageBytes: number): ScopePlan {
  const folder = `/proc/${pid}`
  const files = [stat(folder), io(folder), resident(folder, pageBytes)]
  const methods = { wall: WALL, cpu: 'clock_getcpuclockid(pid)', ...PERF }
  return { ...plan(MeterScope.Other, level, files, methods), pid, endMethods: END_METHODS }
}

function plan(scope: MeterScope, level: MeterLevel, files: readonly MeteredFile[], words: ScopePlan['methods']): ScopePlan {
  const read = level === 'all' ? files : files.filter(file => isNeeded(scope, file))
  const methods: ScopePlan['methods'] = { ...words }
  for (const file of read) Object.assign(methods, file.methods)
  return { scope, pid: 0, files: read.map(({ path, terms }) => [path, ...terms]), methods, endMethods: {} }
}

/** For time alone: where nothing but files says the time, those; of another process the one by which it is known. */
function isNeeded(scope: MeterScope, { path, terms }: MeteredFile): boolean {
  if (scope === MeterScope.Files) return terms.some(([, , counter]) => counter === Counter.Cpu)
  return scope === MeterScope.Other && path.endsWith('/stat')
}
