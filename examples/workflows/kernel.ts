// The kernel's own accounting, read without forelock.
import { readFileSync } from 'node:fs'

const NS_PER_MS = 1e6
const MS_PER_TICK = 10 // user space is told hundredths of a second on every machine

/** ms of CPU time of the calling thread so far: the time that the scheduler has let it run, up to its last interruption. */
export function cpuOfThisThread(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / NS_PER_MS
}

/** ms of CPU time of all children that have ended and were waited for: cutime and cstime, in which the kernel adds up what wait4() would say. */
export function cpuOfChildren(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  // The name of the command, the second field, may hold anything, so it is counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return (field(16) + field(17)) * MS_PER_TICK
}

/** ms of CPU time of all threads of this process: getrusage(RUSAGE_SELF). */
export function cpuOfThisProcess(): number {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return (userCPUTime + systemCPUTime) / 1000
}
