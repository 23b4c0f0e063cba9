import type { FloorName, OwnName, RivalName } from './rivals.js'
import type { Params } from './types/kind.js'

/** What a process measures: a file in types/, and what it is told. */
export interface Work {
  kind: string
  params: Params
  /** processes for it; medians are taken over them. Default: 5, or 3 with --quick */
  processes?: number
}

/** One side of a comparison that a figure must not exceed. */
export type Limit =
  | { atMost: number }
  | { atLeast: number }
  | { times: number; rival: RivalName }
  | { times: number; everyRival: true }
  | { times: number; floor: string }
  | { times: number; row: string }

export interface Row {
  id: string
  unit: 'ns' | 'ms' | 'bytes' | 'parts' | 'tokens' | 'tasks' | 'records' | 'records/s' | 'requests/s'
  /** which of the series that the kind finds; default `value` */
  series?: string
  /** rivals and floors did not do this row's work: they are left out of it */
  ownOnly?: true
  /** all of them hold, or the row does not meet it; none: the figure is there to be seen */
  must?: Limit[]
  beyond?: Limit[]
}

export interface Trial {
  title: string
  rows: Row[]
  /** by which of forelock's drivers; default `locks` */
  own: Work & { contestant?: OwnName }
  rivals?: Partial<Record<RivalName, Work>>
  /** keys are those of the results: `cas` may be measured by another contestant where several processes share the word */
  floors?: Record<string, Work & { contestant: FloorName }>
}

const operation = (op: string, size = 2 ** 16): Work => ({ kind: 'operations', params: { op, size } })

const sameFor = (names: RivalName[], work: Work) => Object.fromEntries(names.map(name => [name, work])) as Partial<Record<RivalName, Work>>

const CALL = { ...operation('tryPairs'), contestant: 'call' } as const
const CAS = { ...operation('tryPairs'), contestant: 'cas' } as const
const IN_ONE_THREAD: RivalName[] = ['async-sema', 'cockatiel', 'p-limit', 'p-queue', 'async-mutex', 'navigator.locks']

const PAIRS: Trial[] = [
  {
    title: 'tryAcquire + release, uncontended, named arena, no agent',
    rows: [{ id: 'lock/try', unit: 'ns', must: [{ atMost: 60 }, { times: 1, everyRival: true }], beyond: [{ atMost: 40 }] }],
    own: operation('tryPairs'),
    rivals: sameFor(IN_ONE_THREAD, operation('tryPairs')),
    floors: { call: CALL, cas: CAS }
  },
  {
    title: 'await acquire + release, uncontended',
    rows: [{ id: 'lock/await', unit: 'ns', must: [{ times: 2, rival: 'async-sema' }], beyond: [{ times: 1.3, rival: 'async-sema' }] }],
    own: operation('awaitPairs'),
    rivals: sameFor(IN_ONE_THREAD, operation('awaitPairs')),
    floors: { call: CALL, cas: CAS }
  },
  {
    title: 'locks.request(name, callback), uncontended',
    rows: [{ id: 'weblocks/request', unit: 'ns', must: [{ times: 1 / 10, rival: 'navigator.locks' }] }],
    own: operation('requestPairs'),
    rivals: sameFor(['navigator.locks'], operation('requestPairs')),
    floors: { call: CALL, cas: CAS }
  }
]

const WAITERS: Trial[] = (
  [
    ['lock/waiters-100', 'waiters', '100 waiters on one lock in one thread, per waiter'],
    ['lock/waiters-100-tiers', 'tieredWaiters', 'the same in 4 tiers']
  ] as const
).map(([id, op, title]) => ({
  title,
  rows: [
    {
      id,
      unit: 'ns',
      must: [
        { times: 1.5, rival: 'async-sema' },
        { times: 1, rival: 'async-mutex' }
      ],
      beyond: [{ times: 1, rival: 'async-sema' }]
    }
  ],
  own: operation(op, 100),
  rivals: sameFor(['async-sema', 'async-mutex', 'p-queue'], operation(op, 100)),
  floors: { call: CALL, cas: CAS }
}))

const QUEUES: Trial[] = (
  [
    ['lock/queue-1k', 1_000, undefined],
    ['lock/queue-10k', 10_000, undefined],
    ['lock/queue-100k', 100_000, [{ times: 3, row: 'lock/queue-1k' }]]
  ] as const
).map(([id, size, must]) => ({
  title: `${size} waiters queued, the one in the middle aborted, all drained; per waiter`,
  rows: [{ id, unit: 'ns', must: must === undefined ? undefined : [...must] } as Row],
  own: operation('queue', size),
  rivals: { 'p-queue': operation('queue', size) },
  floors: { call: CALL, cas: CAS }
}))

const HANDOFFS: Trial[] = (['process', 'worker'] as const).map(thread => {
  const work: Work = { kind: 'handoff', params: { thread } }
  const id = `lock/handoff-${thread}`
  return {
    title: `release here to the first line under the lock in another ${thread}`,
    rows: [
      { id, unit: 'ns', must: [{ times: 2, floor: 'futex' }] },
      { id: `${id}-p99`, unit: 'ns' }
    ],
    own: work,
    rivals: sameFor(['redis', 'proper-lockfile'], work),
    floors: { futex: { ...work, contestant: 'futex' } }
  }
})

const together = (count: number, locks: 'one' | 'disjoint'): Pick<Trial, 'own' | 'floors'> => {
  const own: Work = { kind: 'processes', params: { count, locks } }
  return { own, floors: { cas: { ...own, contestant: 'casShared' } } }
}

/** What `count` processes on locks of their own may take for a pair, as a share of what one takes, on so many cores; 0.8: of ideal. */
const scaled = (count: number, cores: number) => 1 / (0.8 * Math.min(count, cores))

/** "No slower", with room for the noise of two medians. */
const NO_SLOWER = 1.1

const contended: Trial[] = [
  {
    title: '2 processes on one lock, per pair over both',
    rows: [{ id: 'lock/processes-2', unit: 'ns' }],
    ...together(2, 'one')
  },
  {
    title: '4 processes on one lock, per pair over all',
    rows: [{ id: 'lock/processes-4', unit: 'ns', must: [{ times: NO_SLOWER, row: 'lock/processes-2' }] }],
    ...together(4, 'one')
  }
]

const disjoint = (cores: number): Trial[] => [
  {
    title: '1 process on its lock: what the disjoint ones are compared with',
    rows: [{ id: 'lock/disjoint-1', unit: 'ns' }],
    ...together(1, 'disjoint')
  },
  ...[2, 4].map(count => ({
    title: `${count} processes on ${count} locks of one arena, per pair over all`,
    rows: [{ id: `lock/disjoint-${count}`, unit: 'ns', must: [{ times: scaled(count, cores), row: 'lock/disjoint-1' }] } satisfies Row],
    ...together(count, 'disjoint')
  }))
]

const NS_PER_MS = 1e6

const expiry: Work = { kind: 'expiry', params: {}, processes: 1 }

const CRASHES: Trial[] = [
  {
    title: 'kernel releases the byte lock of a killed holder, to the grant in another process',
    rows: [
      { id: 'crash/recovery-p99', unit: 'ms', must: [{ atMost: 25 }] },
      { id: 'crash/total-50mb', unit: 'ms', series: 'total50' },
      { id: 'crash/total-1gb', unit: 'ms', series: 'total1g', ownOnly: true }
    ],
    own: { kind: 'recovery', params: {} },
    rivals: sameFor(['proper-lockfile', 'redis'], expiry),
    floors: { futex: { kind: 'handoff', params: { thread: 'process', unit: NS_PER_MS }, contestant: 'futex' } }
  }
]

const COSTS: Trial[] = [
  {
    title: 'bytes per exclusively held element with a name of 40 bytes',
    rows: [{ id: 'mem/element', unit: 'bytes', must: [{ atMost: 128 }] }],
    own: { kind: 'element', params: {}, processes: 1 }
  },
  {
    title: 'open() of a new named arena at default capacities',
    rows: [{ id: 'time/open', unit: 'ms', must: [{ atMost: 5 }] }],
    own: { kind: 'opening', params: {}, processes: 15 }
  },
  {
    title: 'require()',
    rows: [{ id: 'time/require', unit: 'ms', must: [{ atMost: 30 }] }],
    own: { kind: 'requiring', params: {}, processes: 15 }
  }
]

/** Calls in a sample of those who take tens of microseconds for each, or a millisecond, or several. */
const SLOW = { calls: 2 ** 10 }
const SLOWER = { calls: 2 ** 7 }
const SLOWEST = { calls: 2 ** 4 }

const slow = (op: string, { calls } = SLOW): Work => ({ kind: 'operations', params: { op, size: calls, calls } })

const BUCKETS: Trial[] = [
  {
    title: 'tryTake() of one token, always there',
    rows: [{ id: 'bucket/try', unit: 'ns', must: [{ atMost: 45 }, { times: 1, everyRival: true }], beyond: [{ atMost: 30 }] }],
    own: { ...operation('tokens'), contestant: 'buckets' },
    rivals: {
      ...sameFor(['limiter', 'rate-limiter-flexible'], operation('tokens')),
      ...sameFor(['rate-limiter-flexible/cluster', 'rate-limiter-flexible/redis'], slow('tokens'))
    },
    floors: { call: CALL, cas: CAS }
  },
  {
    title: 'tryTake() of a bucket for each of 1,000 keys, in random order',
    rows: [{ id: 'bucket/keyed-1k', unit: 'ns', must: [{ atMost: 150 }] }],
    own: { ...operation('keyed1k'), contestant: 'buckets' },
    rivals: sameFor(['rate-limiter-flexible'], operation('keyed1k')),
    floors: { line: { ...operation('keyed1k'), contestant: 'coldLine' } }
  },
  {
    title: 'the same for a million keys',
    rows: [
      {
        id: 'bucket/keyed-1m',
        unit: 'ns',
        must: [
          { times: 1.2, floor: 'line' },
          { times: 0.5, rival: 'rate-limiter-flexible' }
        ]
      }
    ],
    own: { ...operation('keyed1m'), contestant: 'buckets' },
    rivals: sameFor(['rate-limiter-flexible'], operation('keyed1m')),
    floors: { line: { ...operation('keyed1m'), contestant: 'coldLine' } }
  }
]

/** Tokens at 1,000 a second: what the clock is read to, see docs/limits.md. */
const CLOCK_ERROR = 1e-4

const SCARCITY: Trial[] = [2, 4].map(count => ({
  title: `${count} processes on one bucket of 1,000 tokens a second and burst 1: what is missing to rate x time, and what is above it`,
  rows: [
    { id: `bucket/processes-${count}`, unit: 'parts', must: [{ atMost: 0.001 }] },
    { id: `bucket/processes-${count}-over`, unit: 'tokens', series: 'over', must: [{ atMost: CLOCK_ERROR }] }
  ],
  own: { kind: 'scarcity', params: { count }, processes: 1, contestant: 'buckets' }
}))

const POOLS: Trial[] = [
  {
    title: 'tryAllocate() of 3 dimensions + release, uncontended',
    rows: [{ id: 'pool/try', unit: 'ns', must: [{ atMost: 150 }, { times: 1, everyRival: true }] }],
    own: { ...operation('units'), contestant: 'pools' },
    rivals: { bottleneck: slow('units', SLOWEST), 'async-mutex/semaphore': operation('units') },
    floors: { call: CALL, cas: CAS }
  },
  ...(
    [
      ['admit/all', 'together', 'tryAdmit'],
      ['admit/all-await', 'awaitTogether', 'await admit']
    ] as const
  ).map(([id, op, call]) => ({
    title: `${call}() of a pool, 2 buckets and a lock + release, uncontended`,
    rows: [{ id, unit: 'ns', must: [{ atMost: 400 }] } satisfies Row],
    own: { ...operation(op), contestant: 'pools' as const },
    rivals: sameFor(['chained'], slow(op, SLOWEST)),
    floors: { call: CALL, cas: CAS }
  }))
]

const FAIRNESS: Trial[] = (
  [
    ['', 1, 1, 1],
    ['-weighted', 1, 2, 10] // of which 18 and 24 tasks are the answer; on one machine it is no whole number
  ] as const
).map(([suffix, a, b, machines]) => ({
  title: `DRF with ${9 * machines} CPUs and ${18 * machines} GB, A <1, 4> of weight ${a}, B <3, 1> of weight ${b}: tasks off the paper's`,
  rows: [
    { id: `pool/fairness${suffix}`, unit: 'tasks', must: [{ atMost: 1 }] },
    { id: `pool/fairness${suffix}-later`, unit: 'tasks', series: 'later', must: [{ atMost: 1 }] }
  ],
  own: { kind: 'fairness', params: { a, b, machines }, processes: 1 }
}))

const ADDED: Trial[] = [
  {
    title: 'what records and plans add to tryAcquire + release, uncontended',
    rows: [
      { id: 'telemetry/cost', unit: 'ns', series: 'cpuRecord', must: [{ atMost: 35 }] },
      { id: 'telemetry/cost-gettime', unit: 'ns', series: 'systemRecord', must: [{ atMost: 60 }] },
      { id: 'telemetry/cost-pair', unit: 'ns', series: 'cpu' },
      { id: 'telemetry/cost-pair-gettime', unit: 'ns', series: 'system' },
      { id: 'telemetry/cost-left', unit: 'ns', series: 'left', must: [{ atMost: 3 }] },
      { id: 'plan/cost', unit: 'ns', series: 'plan', must: [{ atMost: 5 }] },
      { id: 'plan/cost-elsewhere', unit: 'ns', series: 'elsewhere', must: [{ atMost: 3 }] },
      { id: 'telemetry/look', unit: 'ns', series: 'look', must: [{ atMost: 3 }] }
    ],
    own: { kind: 'adding', params: {} }
  }
]

const RECORDS: Trial[] = [
  {
    title: 'a record of 64 bytes offered, polled and acknowledged in one thread',
    rows: [{ id: 'queue/pass', unit: 'ns', must: [{ atMost: 120 }] }],
    own: { ...operation('records'), contestant: 'queue' },
    rivals: { MessageChannel: operation('records'), bullmq: slow('records', SLOWER) },
    floors: { call: CALL, cas: CAS, copies: { ...operation('records'), contestant: 'copies' } }
  },
  {
    title: 'the same, each acknowledged as the next is polled',
    rows: [{ id: 'queue/pass-next', unit: 'ns', must: [{ atMost: 120 }] }],
    own: { ...operation('recordsInTurn'), contestant: 'queue' },
    floors: { call: CALL, cas: CAS, copies: { ...operation('recordsInTurn'), contestant: 'copies' } }
  },
  ...(['worker', 'process'] as const).map((thread): Trial => {
    const work: Work = { kind: 'passing', params: { thread } }
    const id = `queue/pass-${thread}`
    return {
      title: `offer of a record of 64 bytes here to the first line that has it in another ${thread}`,
      rows: [
        { id, unit: 'ns', must: [{ times: 2, floor: 'futex' }] },
        { id: `${id}-p99`, unit: 'ns' }
      ],
      own: { ...work, contestant: 'queue' },
      rivals: sameFor(thread === 'worker' ? ['MessageChannel', 'bullmq'] : ['bullmq'], work),
      floors: { futex: { ...work, contestant: 'futex' } }
    }
  })
]

const metered = (op: string): Pick<Trial, 'own' | 'floors'> => ({ own: { ...slow(op), contestant: 'metering' }, floors: { call: CALL } })

const METERING: Trial[] = [
  ...(
    [
      ['thread', 'readThread', 'wall and CPU time of the thread'],
      ['thread-all', 'readThreadAll', 'every counter of the thread'],
      ['process', 'readProcess', 'wall and CPU time of the process'],
      ['process-all', 'readProcessAll', 'every counter of the process'],
      ['other', 'readOther', 'wall and CPU time of another process'],
      ['other-all', 'readOtherAll', 'every counter of another process'],
      ['cgroup-all', 'readCgroupAll', 'every counter of a cgroup'],
      ['host-all', 'readHostAll', 'every counter of the host']
    ] as const
  ).map(([id, op, title]) => ({
    title: `a reading: ${title}`,
    rows: [{ id: `metering/${id}`, unit: 'ns' } satisfies Row],
    ...metered(op)
  })),
  {
    title: 'wall and CPU time of an action that does nothing',
    rows: [{ id: 'metering/action', unit: 'ns', must: [{ times: 1, everyRival: true }] }],
    ...metered('meterAction'),
    rivals: sameFor(['prom-client'], slow('meterAction'))
  },
  {
    title: 'a continuation, of two functions that take turns, whose CPU time is booked to each',
    rows: [{ id: 'metering/attribution', unit: 'ns', must: [{ times: 1, everyRival: true }] }],
    own: { ...operation('continuations'), contestant: 'attribution' },
    rivals: sameFor(['blocked-at'], operation('continuations')),
    floors: {
      bare: { ...operation('continuations'), contestant: 'bare' },
      hooked: { ...operation('continuations'), contestant: 'hooked' }
    }
  }
]

const over = (op: string): Work => ({ kind: 'over', params: { op } })
const METERING_RUNS: RivalName[] = ['prom-client', 'blocked-at/runs']

const RUNS: Trial[] = [
  {
    title: 'a run of three actions that do nothing, wall and CPU time of each known, less the bare functions',
    rows: [{ id: 'workflow/run3', unit: 'ns', must: [{ atMost: 5_000 }, { times: 1, everyRival: true }] }],
    own: { ...over('run3'), contestant: 'runs' },
    rivals: sameFor(METERING_RUNS, over('run3'))
  },
  {
    title: 'the same with every counter of the thread',
    rows: [{ id: 'workflow/run3-all', unit: 'ns', must: [{ atMost: 60_000 }] }],
    own: { ...over('run3All'), contestant: 'runs' }
  },
  {
    title: 'the first in its own asynchronous context, scope async',
    rows: [{ id: 'workflow/run3-async', unit: 'ns' }],
    own: { ...over('run3Async'), contestant: 'runs' },
    rivals: sameFor(['blocked-at/runs'], over('run3'))
  },
  {
    title: 'the first, of actions of some 10 µs: too far apart for more than neighbours to share a reading',
    rows: [{ id: 'workflow/run3-apart', unit: 'ns', must: [{ times: 1, everyRival: true }] }],
    own: { ...over('run3Apart'), contestant: 'runs' },
    rivals: sameFor(METERING_RUNS, over('run3Apart'))
  }
]

const HISTORY: Trial[] = [
  {
    title: 'events of requests, 110,000 a second, into a file: of an arena by its recorder; better-sqlite3 in the thread where they happen',
    rows: [
      { id: 'history/ingest', unit: 'records/s', must: [{ atLeast: 100_000 }] },
      { id: 'history/ingest-delay', unit: 'ms', series: 'delay', must: [{ atMost: 5 }] },
      { id: 'history/ingest-lost', unit: 'records', series: 'lost', must: [{ atMost: 0 }] },
      { id: 'history/ingest-cores', unit: 'parts', series: 'cores', must: [{ atMost: 1 }] },
      { id: 'history/ingest-bytes', unit: 'bytes', series: 'bytes' },
      { id: 'history/ingest-rss', unit: 'bytes', series: 'rss' }
    ],
    own: { kind: 'ingest', params: {}, contestant: 'recorder', processes: 1 },
    rivals: { 'better-sqlite3': { kind: 'ingest', params: {}, processes: 1 } },
    floors: { unrecorded: { kind: 'ingest', params: {}, contestant: 'unrecorded', processes: 1 } }
  },
  {
    title:
      'quantiles by workflow and hour of 10 million runs, a tenth of that with --quick: of roll-ups within 1 %, and exact of every run',
    rows: [
      { id: 'history/quantile-10m', unit: 'ms', must: [{ atMost: 1_000 }] },
      { id: 'history/quantile-10m-exact', unit: 'ms', series: 'exact' }
    ],
    own: { kind: 'quantiles', params: {}, contestant: 'history', processes: 1 }
  }
]

const AGENT: Trial[] = [
  {
    title: 'an agent in a process of its own, at 10,000 requests a second for 10,000 locks: part of a core, resident memory',
    rows: [
      { id: 'agent/cpu', unit: 'parts', must: [{ atMost: 0.05 }] },
      { id: 'agent/rss', unit: 'bytes', series: 'rss', must: [{ atMost: 200e6 }] }
    ],
    own: { kind: 'agent', params: {}, processes: 1 }
  },
  ...(
    [
      ['reactive', 300_000],
      ['predictive', 100_000]
    ] as const
  ).map(
    ([policy, atLeast]): Trial => ({
      title: `replay of the generated day under ${policy}`,
      rows: [{ id: `replay/${policy}`, unit: 'requests/s', must: [{ atLeast }] }],
      own: { kind: 'replaying', params: { policy }, processes: 3 }
    })
  )
]

/** The table of the bench, for a machine with so many physical cores. */
export const trials = (cores: number): Trial[] => [
  ...PAIRS,
  ...WAITERS,
  ...QUEUES,
  ...HANDOFFS,
  ...contended,
  ...disjoint(cores),
  ...CRASHES,
  ...BUCKETS,
  ...SCARCITY,
  ...POOLS,
  ...FAIRNESS,
  ...ADDED,
  ...RECORDS,
  ...METERING,
  ...RUNS,
  ...HISTORY,
  ...AGENT,
  ...COSTS
]
