import { type AccountTerm, Counter } from '../native/meter.js'
import type { MeteredFile } from './metered-file.js'

const KIB = 1024
const TICK_MS = 10 // a hundredth of a second, which is what user space is told on every machine

/** Fields of the line `cpu` of /proc/stat, proc_stat(5). What a guest ran is among user and nice; what was stolen is nobody's here. */
const USER = [2, 3] // user, nice
const SYSTEM = [4, 7, 8] // system, irq, softirq

const ticks = (counter: Counter, columns: readonly number[]): AccountTerm[] => columns.map(column => [column, 'cpu', counter, TICK_MS, 0])

const LOOPBACK = 'lo'
const [RECEIVED, SENT] = [2, 10] // fields of the lines of /proc/net/dev: bytes

const [SOME_TOTAL, US] = [9, 1e-3] // `some avg10=… avg60=… avg300=… total=` and us

const pressure = (what: string, some: Counter, full: Counter): MeteredFile => ({
  path: `/proc/pressure/${what}`,
  terms: [
    [SOME_TOTAL, 'some', some, US, 0],
    [SOME_TOTAL, 'full', full, US, 0]
  ],
  methods: {}
})

/** The kernel's accounts of the whole machine; of the network, those of the namespace that the process is in. */
export const HOST_FILES: readonly MeteredFile[] = [
  {
    path: '/proc/stat',
    terms: [
      ...ticks(Counter.Cpu, [...USER, ...SYSTEM]),
      ...ticks(Counter.CpuUser, USER),
      ...ticks(Counter.CpuSystem, SYSTEM),
      [2, 'ctxt', Counter.ContextSwitches, 1, 0]
    ],
    methods: {
      cpu: `/proc/stat: user + nice + system + irq + softirq, to ${TICK_MS} ms`,
      cpuUser: '/proc/stat: user + nice',
      cpuSystem: '/proc/stat: system + irq + softirq',
      contextSwitches: '/proc/stat: ctxt'
    }
  },
  {
    path: '/proc/meminfo',
    terms: [
      [0, 'MemTotal', Counter.Memory, KIB, 0],
      [0, 'MemAvailable', Counter.Memory, -KIB, 0]
    ],
    methods: { memory: '/proc/meminfo: MemTotal - MemAvailable' }
  },
  {
    path: '/proc/vmstat',
    terms: [
      [0, 'pgpgin', Counter.DiskRead, KIB, 0],
      [0, 'pgpgout', Counter.DiskWritten, KIB, 0],
      [0, 'pgfault', Counter.PageFaults, 1, 0]
    ],
    methods: { diskRead: '/proc/vmstat: pgpgin', diskWritten: '/proc/vmstat: pgpgout', pageFaults: '/proc/vmstat: pgfault' }
  },
  {
    path: '/proc/self/net/dev',
    terms: [
      [-RECEIVED, LOOPBACK, Counter.NetworkReceived, 1, 0],
      [-SENT, LOOPBACK, Counter.NetworkSent, 1, 0]
    ],
    methods: {
      networkReceived: '/proc/self/net/dev: all but the loopback',
      networkSent: '/proc/self/net/dev: all but the loopback'
    }
  },
  pressure('cpu', Counter.StalledCpuSome, Counter.StalledCpuFull),
  pressure('memory', Counter.StalledMemorySome, Counter.StalledMemoryFull),
  pressure('io', Counter.StalledIoSome, Counter.StalledIoFull)
]
