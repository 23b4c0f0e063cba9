import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NotFoundError } from '../errors/index.js'
import { type AccountTerm, Counter } from '../native/meter.js'
import type { UsageField } from './counters.js'
import type { MeteredFile } from './metered-file.js'

const [NS, US] = [1e-6, 1e-3] // ms

type Named = readonly [name: string, ...terms: readonly (readonly [field: UsageField, term: AccountTerm])[]]

/** Of cgroup v2: Documentation/admin-guide/cgroup-v2.rst of Linux. A group that never reached a device has an io.stat without lines. */
const V2: readonly Named[] = [
  [
    'cpu.stat',
    ['cpu', [0, 'usage_usec', Counter.Cpu, US, 0]],
    ['cpuUser', [0, 'user_usec', Counter.CpuUser, US, 0]],
    ['cpuSystem', [0, 'system_usec', Counter.CpuSystem, US, 0]]
  ],
  ['memory.current', ['memory', [1, '', Counter.Memory, 1, 0]]],
  ['memory.peak', ['memoryPeak', [1, '', Counter.MemoryPeak, 1, 0]]],
  ['memory.stat', ['pageFaults', [0, 'pgfault', Counter.PageFaults, 1, 0]]],
  ['io.stat', ['diskRead', [0, 'rbytes', Counter.DiskRead, 1, 1]], ['diskWritten', [0, 'wbytes', Counter.DiskWritten, 1, 1]]]
]

/** Of cgroup v1: Documentation/admin-guide/cgroup-v1/ of Linux. */
const V1: readonly Named[] = [
  ['cpuacct.usage', ['cpu', [1, '', Counter.Cpu, NS, 0]]],
  ['cpuacct.usage_user', ['cpuUser', [1, '', Counter.CpuUser, NS, 0]]],
  ['cpuacct.usage_sys', ['cpuSystem', [1, '', Counter.CpuSystem, NS, 0]]],
  ['memory.usage_in_bytes', ['memory', [1, '', Counter.Memory, 1, 0]]],
  ['memory.max_usage_in_bytes', ['memoryPeak', [1, '', Counter.MemoryPeak, 1, 0]]],
  ['memory.stat', ['pageFaults', [0, 'total_pgfault', Counter.PageFaults, 1, 0]]],
  [
    'blkio.throttle.io_service_bytes_recursive',
    ['diskRead', [0, 'Read', Counter.DiskRead, 1, 1]],
    ['diskWritten', [0, 'Write', Counter.DiskWritten, 1, 1]]
  ]
]

/**
 * The accounts of a cgroup: a folder of one hierarchy, or a path as /proc/PID/cgroup has it, which is looked for in every hierarchy
 * that is mounted. What several of them count is taken from v2.
 *
 * @throws NotFoundError if no hierarchy has it, or none with accounts
 */
export function cgroupFiles(cgroup: string): readonly MeteredFile[] {
  const files: MeteredFile[] = []
  const counted = new Set<UsageField>()
  for (const [folder, accounts] of foldersOf(cgroup)) {
    for (const [name, ...terms] of accounts) {
      const path = join(folder, name)
      const added = terms.filter(([field]) => !counted.has(field))
      if (added.length === 0 || !existsSync(path)) continue
      for (const [field] of added) counted.add(field)
      const methods = Object.fromEntries(added.map(([field, [, key]]) => [field, key === '' ? path : `${path}: ${key}`]))
      files.push({ path, terms: added.map(([, term]) => term), methods })
    }
  }
  if (files.length === 0) throw new NotFoundError(`there is no cgroup ${JSON.stringify(cgroup)} that has accounts`, { resource: cgroup })
  return files
}

interface Hierarchy {
  folder: string
  v2: boolean
}

function foldersOf(cgroup: string): [folder: string, accounts: readonly Named[]][] {
  const mounted = hierarchies()
  const inside = mounted.filter(({ folder }) => cgroup === folder || cgroup.startsWith(`${folder}/`))
  const folders =
    inside.length > 0
      ? inside.map(({ v2 }) => ({ folder: cgroup, v2 }))
      : mounted.map(({ folder, v2 }) => ({ folder: join(folder, cgroup), v2 }))
  return folders.sort((a, b) => Number(b.v2) - Number(a.v2)).map(({ folder, v2 }) => [folder, v2 ? V2 : V1])
}

/** What is mounted, by /proc/self/mountinfo: `… root folder options … - type source options`. */
function hierarchies(): Hierarchy[] {
  const found: Hierarchy[] = []
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount, system = ''] = line.split(' - ')
    const type = system.split(' ')[0]
    const folder = mount.split(' ')[4]
    if (type === 'cgroup' || type === 'cgroup2') found.push({ folder: unescaped(folder), v2: type === 'cgroup2' })
  }
  return found
}

/** Blanks in the names of mounts are three octal digits. */
const unescaped = (name: string) => name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
