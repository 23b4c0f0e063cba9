import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'

/** By the kernel's numbers. */
export const threadsOf = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)

/** How nice a thread of any process is, and on which processors it may run. */
export function placeOf(thread: number): { nice: number; processors: number[] } {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync(`/proc/${thread}/status`, 'utf8')) ?? []
  const processors = list.split(',').flatMap(range => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  return { nice: getPriority(thread), processors }
}

/** All but the first, and the only one. */
export const leavingOne = (processors: number[]) => (processors.length > 1 ? processors.slice(1) : processors)
