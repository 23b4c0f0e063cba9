// Any value into any function, from a seed; the parent sees whether this process survives. What a call throws must be an
// Error (of ours, or of the value itself); a call that hangs is seen by the parent's watchdog.

import { createRequire } from 'node:module'
import { MessageChannel, Worker } from 'node:worker_threads'
import { type Governor, isForelockError, Meter, open, unlink, usageBetween } from '../../lib/index.js'
import { type Addon, At, type Binding, Kind, RequestBit, Time } from '../../lib/native/binding.js'
import { numbersOf } from '../../lib/pool-terms.js'
import { addonFile, Random } from './support.js'

const [what, seed, dir] = [process.argv[2] as 'native' | 'public', Number(process.argv[3]), process.argv[4] as string]
const ROUNDS = 3_000
const random = new Random(seed)
const addon = createRequire(import.meta.url)(addonFile()) as Addon
const problems: string[] = []
class Mine extends Error {}

const numbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  3,
  7,
  16,
  63,
  64,
  128,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e300,
  -1e300,
  NaN,
  Infinity,
  -Infinity
]

function string(): string {
  return random.pick([
    '',
    'a',
    'lock',
    '\ud800',
    '\udc00x',
    'a\0b',
    '/',
    '..',
    '../x',
    'n'.repeat(41),
    '\u00ff'.repeat(4096),
    'x'.repeat(4097)
  ])
}

function value(depth = 0): unknown {
  const kinds: (() => unknown)[] = [
    () => undefined,
    () => null,
    () => random.below(2) === 0,
    () => random.pick(numbers),
    string,
    () => Symbol('x'),
    () => 2n ** 64n,
    () => () => {},
    () => {
      throw new Mine('from a value')
    },
    () => new Date(NaN),
    () => /x/,
    () => detached(),
    () => new Float64Array(3),
    () => new SharedArrayBuffer(8),
    () => AbortSignal.abort(),
    () => new AbortController().signal,
    () => 'y'.repeat(10_000_000),
    () => hostile(),
    () => Array.from({ length: random.below(5) }, () => (depth > 2 ? 1 : safe(depth + 1))),
    () => object(depth)
  ]
  return kinds[random.below(kinds.length)]?.()
}

/** A value; those that throw while they are made are thrown away. */
function safe(depth = 0): unknown {
  try {
    return value(depth)
  } catch {
    return undefined
  }
}

const keys = [
  'name',
  'dir',
  'handle',
  'fresh',
  'virtual',
  'update',
  'elements',
  'waiters',
  'participants',
  'names',
  'ageingMs',
  'claimWithinMs',
  'tiers',
  'onWake',
  'mode',
  'tier',
  'waitTimeout',
  'ttl',
  'within',
  'signal',
  'steal',
  'ifAvailable',
  'clock',
  'capacity',
  'ageing',
  'drain',
  'force',
  'then',
  'length'
]

function object(depth: number): object {
  const out: Record<string, unknown> = {}
  for (let i = random.below(5); i > 0; i--) {
    const key = random.pick(keys)
    if (random.below(6) === 0) Object.defineProperty(out, key, { get: () => getter(), enumerable: true, configurable: true })
    else out[key] = depth > 2 ? 1 : safe(depth + 1)
  }
  return out
}

/** Throws, or calls forelock again from within its own call. */
function getter(): unknown {
  if (random.below(2) === 0) throw new Mine('from a getter')
  try {
    gov.lock('re-entered').tryAcquire()?.release()
    binding.lookup('re-entered', 0)
  } catch {
    // closed, or out of room: the value is what matters
  }
  return safe(3)
}

function hostile(): unknown {
  const trap = () => {
    throw new Mine('from a proxy')
  }
  return random.below(2) === 0
    ? new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap })
    : { [Symbol.toPrimitive]: trap, toString: trap, valueOf: trap }
}

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(16)
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(buffer, [buffer])
  port1.close()
  port2.close()
  return buffer
}

const capacity = { elements: 32, waiters: 256, participants: 8, names: 64 }
let binding = furnished(addon.open({ fresh: true, ...capacity, onWake() {} }))
let gov: Governor = open({ fresh: true, capacity })
const closedBinding = addon.open({ fresh: true, ...capacity, onWake() {} })
closedBinding.close()

const natives = [
  'lookup',
  'tryLock',
  'lock',
  'release',
  'pass',
  'abort',
  'upgrade',
  'check',
  'drain',
  'cycle',
  'now',
  'wallClock',
  'advance',
  'snapshot',
  'counters',
  'ref',
  'tryTake',
  'refund',
  'tryAllocate',
  'tryAdmit',
  'tryAdmit',
  'releaseTogether',
  'queueOffer',
  'queuePoll',
  'queueNext',
  'queueAck',
  'queueReturn'
] as const

/** With a bucket, a pool and a queue among its first elements. */
function furnished(made: Binding): Binding {
  const { scratch, times } = made
  made.lookup('bucket', Kind.Bucket)
  scratch[At.Waiter] = -1
  times.set([1e6, 1, 1e6], Time.Rate)
  made.defineBucket()
  made.lookup('pool', Kind.Pool)
  const tiers = [0, 1, 2, 3].map(() => ({ floor: [0, 0], share: [0, 0], ceiling: [1, 1] }))
  made.definePool(numbersOf({ names: ['a', 'b'], capacity: [100, 100], tiers, tenants: [], labels: [] }), ['a', 'b'])
  made.queueOpen('queue', 4, 64)
  made.queueBytes()
  return made
}

function attempt(call: () => unknown, about: string): void {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    judge(error, about)
    return
  }
  if (result instanceof Promise) result.catch(error => judge(error, about))
}

function judge(error: unknown, about: string): void {
  const known = isForelockError(error) || error instanceof Mine || error instanceof TypeError || error instanceof RangeError
  const coded = error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_FORELOCK_')
  // The Web Locks face rejects as its specification says; the reason of an aborted signal is the user's.
  const platform = error instanceof DOMException || (what === 'public' && error === undefined)
  if (!known && !coded && !platform) problems.push(`${about}: ${String(error)}`)
}

function fillScratch(target: Binding): void {
  const { scratch, times } = target
  for (let i = random.below(12); i > 0; i--) {
    const at = random.below(scratch.length)
    scratch[at] = random.below(3) === 0 ? random.pick(numbers) : random.below(40)
  }
  times[random.below(times.length)] = random.pick(numbers)
  // A few parts that make sense, now and then: elements that are what they are taken for.
  if (random.below(3) === 0) {
    for (const at of [At.Locks, At.Pools, At.Buckets]) scratch[at] = random.below(2)
    for (let part = 0; part < 4; part++) scratch[At.Parts + 4 * part] = random.below(3)
    scratch[At.Parts + 2] = scratch[At.Request] = random.below(4)
    times.fill(1 + random.below(3), Time.Amounts, Time.Amounts + 2)
    times.fill(random.below(3), Time.Together)
  }
  // Or the number of parts that made sense before, which has most often stayed where it was.
  if (random.below(4) === 0) scratch[At.Request] = random.below(4) | RequestBit.Again
  // Mostly one of its own, sometimes that of another or of none.
  if (random.below(8) !== 0) scratch[At.Arena] = target.arena
}

function nativeRound(): void {
  const target = random.below(20) === 0 ? closedBinding : binding
  const name = random.pick(natives)
  fillScratch(target)
  if (random.below(3) === 0) target.lookup(`k${random.below(40)}`, 0)
  const args = Array.from({ length: random.below(4) }, () => safe())
  // Borrowed: with any receiver at all, and as a constructor.
  const how = random.below(10)
  const call = target[name] as (...given: unknown[]) => unknown
  if (how === 0) attempt(() => Reflect.apply(call, safe(), args), name)
  else if (how === 1) attempt(() => Reflect.construct(call, args), name)
  else attempt(() => call(...args), name)
  if (random.below(60) === 0) attempt(() => addon.open(safe() as never), 'open')
  if (random.below(60) === 0) attempt(() => addon.open({ ...(object(0) as object), fresh: true, onWake() {} } as never), 'open')
  if (random.below(60) === 0)
    attempt(() => addon.unlink(safe() as string, random.below(2) === 0 ? dir : (safe() as string), safe() as boolean), 'unlink')
  if (random.below(20) === 0) meterRound()
  if (random.below(100) === 0) attempt(() => Reflect.apply(addon.leaveProcessor, safe(), [safe()]), 'leaveProcessor')
  if (random.below(60) === 0) attempt(() => addon.inspect(safe() as string, dir), 'inspect')
  if (random.below(200) === 0) attempt(() => structuredClone(target.scratch, { transfer: [target.scratch.buffer as never] }), 'transfer')
  if (random.below(300) === 0) {
    binding.close()
    binding = furnished(addon.open({ fresh: true, ...capacity, onWake: random.below(2) === 0 ? () => binding.drain() : () => {} }))
  }
}

/** A meter of anything, or of something read by anything. */
function meterRound(): void {
  const file = () => [
    '/proc/self/stat',
    [random.pick(numbers), random.pick(['', 'S', 'x'.repeat(70_000)]), random.below(25), 1, 0],
    safe(1)
  ]
  const files = () => Array.from({ length: random.below(20) }, () => (random.below(2) === 0 ? file() : safe(1)))
  const pid = random.pick([...numbers, process.pid, process.ppid])
  const given =
    random.below(3) === 0
      ? [safe(), safe(), safe(), safe()]
      : [random.below(6), pid, random.below(2) === 0, random.below(2) === 0 ? [['/proc/self/stat']] : files()]
  let made: ReturnType<Addon['meter']>
  attempt(() => {
    made = Reflect.apply(addon.meter, safe(), given) as typeof made
  }, 'meter')
  if (made === undefined) return
  const { read, close, counters } = made
  attempt(() => structuredClone(counters, { transfer: [counters.buffer as never] }), 'transfer')
  for (const call of [read, close, read, close]) attempt(() => Reflect.apply(call, safe(), [safe()]), 'meter')
}

function publicRound(): void {
  const name = random.below(3) === 0 ? (safe() as string) : `k${random.below(40)}`
  const options = (random.below(2) === 0 ? { ...object(0), waitTimeout: random.below(3) } : safe()) as never
  const borrowed = safe()
  const grants: unknown[] = []
  const keep = (grant: { release?: () => unknown } | null) => grants.push(grant)
  const calls: [string, () => unknown][] = [
    ['lock', () => gov.lock(name, options)],
    [
      'acquire',
      () =>
        gov
          .lock(`k${random.below(40)}`)
          .acquire(options)
          .then(grant => grant.release())
    ],
    [
      'tryAcquire',
      () =>
        gov
          .lock(`k${random.below(40)}`)
          .tryAcquire(options)
          ?.release()
    ],
    ['with', () => gov.lock(`k${random.below(40)}`).with(options, random.below(2) === 0 ? () => getter() : (safe() as never))],
    [
      'request',
      () =>
        gov
          .lock(`k${random.below(40)}`)
          .request(options)
          .granted?.then?.(keep)
    ],
    ['acquireAll', () => gov.acquireAll(safe() as never, options).then(set => set.release())],
    ['acquireAll', () => gov.acquireAll([gov.lock('a'), safe() as never], options).then(set => set.release())],
    ['locks.request', () => gov.locks.request(name, options, random.below(2) === 0 ? () => getter() : (safe() as never))],
    ['locks.query', () => gov.locks.query()],
    ['inspect', () => gov.inspect(safe() as string)],
    ['Meter', () => new Meter(safe() as never, safe() as never).close()],
    ['Meter', () => new Meter('process').read(safe() as never, safe() as never)],
    ['usageBetween', () => usageBetween(safe() as never, new Float64Array(99), safe() as never, safe() as never)],
    ['toDate', () => gov.toDate(safe() as number)],
    ['advance', () => gov.advance(safe() as number)],
    ['open', () => open(safe() as never).close()],
    ['open', () => open({ ...(object(0) as object), fresh: true } as never).close()],
    ['unlink', () => unlink(safe() as string, { dir, ...(object(0) as object) })],
    ['borrowed', () => Reflect.apply(gov.lock, borrowed, ['a'])],
    ['borrowed', () => Reflect.apply(gov.lock('a').acquire, borrowed, [])],
    ['borrowed', () => Reflect.apply(gov.close, borrowed, [])]
  ]
  const [about, call] = random.pick(calls)
  attempt(call, about)
  if (random.below(300) === 0) {
    attempt(() => gov.close(options), 'close')
    gov = open({ fresh: true, capacity })
  }
}

process.on('unhandledRejection', error => judge(error, 'unhandled'))
process.on('uncaughtException', error => judge(error, 'uncaught'))
process.on('warning', () => {})

// Another thread overwrites the scratch all the time.
const spoiler =
  what === 'native'
    ? new Worker(
        `const { workerData } = require('node:worker_threads')
        const all = workerData.map(buffer => new Int32Array(buffer))
        const some = [0, 1, -1, 5, 16, 2 ** 31 - 1, -(2 ** 31), 0x7ff80000]
        setInterval(() => { for (let i = 0; i < 200; i++) for (const one of all) one[Math.random() * one.length | 0] = some[Math.random() * 8 | 0] }, 0)`,
        { eval: true, workerData: [binding.scratch.buffer] }
      )
    : undefined

for (let i = 0; i < ROUNDS; i++) {
  if (what === 'native') nativeRound()
  else publicRound()
  if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
}
await spoiler?.terminate()
for (const problem of problems.slice(0, 5)) console.error(problem)
process.exit(problems.length === 0 ? 0 : 3)
