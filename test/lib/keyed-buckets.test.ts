import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type KeyedBuckets, type KeyedBucketsOptions, open, unlink } from '../../lib/index.js'
import { isCoded, thrown, virtual } from './support.js'

const test = suite('keyed buckets')
const index = new URL('../../lib/index.ts', import.meta.url).href
const options = { rate: 10, burst: 5, keys: 100 }

/** How many of so many takes are granted. */
function granted(buckets: KeyedBuckets, key: string, takes: number): number {
  let count = 0
  for (let i = 0; i < takes; i++) if (buckets.tryTake(key).ok) count++
  return count
}

test('each key has a burst, then the rate; a refusal says when', () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  for (const key of ['a', 'b', '', '\0', '\u{1F511}', '\ud800', '\udc00', 'x'.repeat(4096)]) {
    for (let left = 4; left >= 0; left--) assert.equal(users.tryTake(key), { ok: true, waitMs: 0, remaining: left })
    assert.equal(users.tryTake(key), { ok: false, waitMs: 100, remaining: 0 })
  }
  gov.advance(100)
  assert.equal(users.tryTake('a'), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(users.tryTake('a', 3), { ok: false, waitMs: 300, remaining: 0 })
  gov.advance(1000)
  assert.is(granted(users, 'a', 20), 5)
})

test('keys that differ in anything are different keys, lone surrogates and halves of pairs too', () => {
  const users = virtual().buckets('users', { rate: 1, burst: 1, keys: 1000 })
  const keys = [
    'é',
    'e\u0301',
    'Ā',
    '\0',
    '\0\0',
    '\ud800',
    '\ud801',
    '\udc00',
    '\ufffd',
    '\ud800\udc00',
    '\udc00\ud800',
    'aaaaaaaa',
    'aaaaaaaaa'
  ]
  for (const key of keys) assert.is(users.tryTake(key).ok, true, JSON.stringify(key))
  for (const key of keys) assert.is(users.tryTake(key).ok, false, JSON.stringify(key))
})

test('a caller is granted when its refusal said, and not a nanosecond earlier', () => {
  for (const [rate, per, burst] of [
    [3, 1000, 2],
    [7, 1000, 7],
    [1e7, 1000, 3],
    [1, 86_400_000, 1],
    [12345, 777, 11]
  ] as const) {
    const gov = virtual()
    const users = gov.buckets('users', { rate, per, burst, keys: 10 })
    for (let round = 0; round < 50; round++) {
      gov.advance(0.000_013 * round)
      while (users.tryTake('a').ok);
      const { waitMs } = users.tryTake('a')
      if (waitMs > 0.000_001) {
        gov.advance(waitMs - 0.000_001)
        assert.is(users.tryTake('a').ok, false, `${rate} per ${per}, round ${round}`)
        gov.advance(users.peek('a').waitMs)
      } else {
        gov.advance(waitMs)
      }
      assert.is(users.tryTake('a').ok, true, `${rate} per ${per}, round ${round}`)
    }
  }
})

test('over any time no more is granted than the rate and a burst', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 13, per: 1000, burst: 4, keys: 10 })
  const times: number[] = []
  for (let i = 0, at = 0; i < 20_000; i++) {
    if (users.tryTake('a').ok) times.push(at)
    const step = (i * 7919) % 50
    gov.advance(step)
    at += step
  }
  for (let first = 0; first < times.length; first++) {
    for (let last = first; last < Math.min(times.length, first + 100); last++) {
      const window = (times[last] as number) - (times[first] as number)
      assert.ok(last - first + 1 <= (13 * window) / 1000 + 4 + 1e-6, `${first} to ${last}`)
    }
  }
})

test('a clock that jumps by years fills each bucket once, and at the end of the word all is refused', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 1e8, per: 1000, burst: 3, keys: 10 })
  const YEAR = 365 * 86_400_000
  for (let years = 0; years < 20; years += 5) {
    assert.is(granted(users, 'a', 10), 3)
    gov.advance(5 * YEAR)
  }
  gov.advance(20 * YEAR)
  assert.is(granted(users, 'b', 10), 3)
  gov.advance(YEAR)
  const { ok, waitMs } = users.tryTake('b')
  assert.is(ok, false)
  assert.ok(waitMs > 100 * YEAR)
})

test('peek takes nothing and tells the limit and when the bucket is full', () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  assert.equal(users.peek('a'), { ok: true, waitMs: 0, remaining: 5, limit: 5, resetMs: 0 })
  users.tryTake('a', 4)
  assert.equal(users.peek('a', 2), { ok: false, waitMs: 100, remaining: 1, limit: 5, resetMs: 400 })
  assert.equal(users.peek('a', 2), { ok: false, waitMs: 100, remaining: 1, limit: 5, resetMs: 400 })
  gov.advance(250)
  assert.equal(users.peek('a', 2), { ok: true, waitMs: 0, remaining: 3, limit: 5, resetMs: 150 })
})

test('what is given back can be taken again, and no more than a burst', () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  users.tryTake('a', 5)
  users.refund('a', 2)
  assert.is(granted(users, 'a', 10), 2)
  for (let i = 0; i < 10; i++) users.refund('a', 5)
  assert.is(granted(users, 'a', 10), 5)
  users.refund('nobody', 3)
  assert.is(granted(users, 'nobody', 10), 5)
})

test('parts of tokens can be taken', () => {
  const users = virtual().buckets('users', { rate: 1, burst: 1, keys: 10 })
  assert.is(users.tryTake('a', 0.25).ok, true)
  assert.equal(users.tryTake('a', 0.75), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(users.tryTake('a', 0.5), { ok: false, waitMs: 500, remaining: 0 })
})

test('two of one name are one family, in whatever order they are opened, and families are apart', () => {
  const gov = virtual()
  const one = gov.buckets('users', options)
  const other = gov.buckets('users', options)
  const third = gov.buckets('addresses', options)
  assert.is(one.tryTake('a', 5).ok, true)
  assert.is(other.tryTake('a').ok, false)
  assert.is(third.tryTake('a').ok, true)
  gov.lock('users').tryAcquire()?.release()
  assert.equal([one.name, one.rate, one.per, one.burst, one.keys], ['users', 10, 1000, 5, 100])
  assert.is(gov.buckets('defaults', { rate: 2.5 }).burst, 3)
  assert.is(gov.buckets('defaults', { rate: 2.5 }).keys, 65_536)
})

test('idle keys are recycled: many more pass through than there is room for', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 10, burst: 1, keys: 100 })
  for (let i = 0; i < 20_000; i++) {
    assert.is(users.tryTake(`user ${i}`).ok, true)
    if (i % 100 === 0) gov.advance(100)
  }
})

test('with more keys in debt than there is room for, new ones get an error that names the option, and nobody is forgotten', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 1, per: 86_400_000, burst: 1, keys: 10 })
  const known: string[] = []
  let error: unknown
  for (let i = 0; error === undefined; i++) {
    try {
      users.tryTake(`user ${i}`)
      known.push(`user ${i}`)
    } catch (caught) {
      error = caught
    }
  }
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.equal((error as { facts: unknown }).facts, { option: 'keys', limit: 10 })
  assert.ok(known.length >= 10)
  for (const key of known) assert.is(users.tryTake(key).ok, false)
  gov.advance(86_400_000)
  assert.is(users.tryTake('another').ok, true)
})

test('a family that exists with other numbers is a ConfigError with both, and with update its rate is changed and its debts are kept', () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  users.tryTake('a', 5)
  for (const [option, value] of Object.entries({ rate: 20, per: 2000, burst: 6, keys: 200 })) {
    const error = thrown(() => gov.buckets('users', { ...options, [option]: value }))
    isCoded(error, 'ERR_FORELOCK_CONFIG')
    assert.equal(error.facts, { option, stored: { ...options, per: 1000 }[option as 'rate'], given: value })
  }
  isCoded(
    thrown(() => gov.buckets('users', { ...options, keys: 99, update: true })),
    'ERR_FORELOCK_CONFIG'
  )
  const faster = gov.buckets('users', { ...options, rate: 100, burst: 7, update: true })
  assert.is(granted(users, 'a', 10), 2)
  assert.is(users.tryTake('a').waitMs, 10)
  assert.is(faster.peek('b').limit, 7)
  isCoded(
    thrown(() => gov.buckets('users', options)),
    'ERR_FORELOCK_CONFIG'
  )
  for (let i = 0; i < 20; i++) gov.buckets('users', { ...options, rate: 1 + i, update: true })
  assert.is(users.tryTake('a').ok, false)
})

test('a table for which there is no room in the arena is a CapacityError that names the memory', () => {
  const gov = virtual({ capacity: { memory: 65_536 } })
  const error = thrown(() => gov.buckets('users', { rate: 1, keys: 10_000 }))
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is(error.option, 'capacity.memory')
  gov.buckets('users', { rate: 1, keys: 100 }).tryTake('a')
})

const BAD_OPTIONS: [string, unknown[]][] = [
  ['rate', [undefined, null, 0, -1, Number.NaN, Infinity, '1', 1n, 1e9, 1e-12, {}]],
  ['per', [null, 0, -1, Number.NaN, Infinity, '1', 1e300, {}]],
  ['burst', [null, 0, 0.5, -1, Number.NaN, Infinity, '1', 1e300, {}]],
  ['keys', [null, 0, -1, 1.5, 2 ** 29, Number.NaN, '1', {}]],
  ['update', [null, 0, 'yes', {}]]
]

test('bad options are ArgumentErrors that name them, before anything is made', () => {
  const gov = virtual()
  for (const [option, bad] of BAD_OPTIONS) {
    for (const value of bad) {
      const error = thrown(() => gov.buckets('users', { ...options, [option]: value } as KeyedBucketsOptions))
      isCoded(error, 'ERR_FORELOCK_ARGUMENT')
      if (option !== 'per') assert.is(error.option, option)
    }
  }
  for (const bad of [undefined, null, 1, 'a', () => {}]) {
    isCoded(
      thrown(() => gov.buckets('users', bad as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const bad of [undefined, null, 1, {}, Symbol('s')]) {
    isCoded(
      thrown(() => gov.buckets(bad as never, options)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => gov.buckets('users', { ...options, limit: 5 } as KeyedBucketsOptions)),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => gov.buckets('x'.repeat(4097), options)),
    'ERR_FORELOCK_NAME'
  )
  gov.buckets('users', { rate: 3, keys: 7 })
})

test('bad keys and amounts are typed errors, and take nothing', () => {
  const users = virtual().buckets('users', options)
  const hostile = {
    toString() {
      throw new Error('called')
    }
  }
  for (const call of [users.tryTake, users.peek, users.refund] as ((key: unknown, n?: unknown) => unknown)[]) {
    for (const key of [undefined, null, 0, 1n, true, Symbol('s'), {}, [], hostile, () => {}]) {
      isCoded(
        thrown(() => call.call(users, key)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    for (const n of [null, 0, -1, Number.NaN, Infinity, '1', 1n, {}, hostile]) {
      const error = thrown(() => call.call(users, 'a', n))
      isCoded(error, 'ERR_FORELOCK_ARGUMENT')
      assert.is(error.option, 'n')
    }
    for (const n of [6, 1e300]) {
      const error = thrown(() => call.call(users, 'a', n))
      isCoded(error, 'ERR_FORELOCK_EXCEEDS')
      assert.is(error.asked, n)
    }
    isCoded(
      thrown(() => call.call(users, 'x'.repeat(4097))),
      'ERR_FORELOCK_NAME'
    )
    assert.throws(() => call.call(undefined, 'a'), TypeError)
    assert.throws(() => call.call({}, 'a'), TypeError)
  }
  assert.is(granted(users, 'a', 10), 5)
})

test('options are read once, and a getter that uses the buckets spoils nothing', () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  let reads = 0
  const other = gov.buckets('others', {
    get rate() {
      reads++
      users.tryTake('a')
      return 10
    },
    get keys() {
      users.tryTake('b', 2)
      return 50
    }
  })
  assert.is(reads, 1)
  assert.equal([other.rate, other.keys], [10, 50])
  assert.is(users.peek('b').remaining, 3)
})

test('after close() all is a ClosedError', async () => {
  const gov = virtual()
  const users = gov.buckets('users', options)
  await gov.close()
  for (const call of [() => users.tryTake('a'), () => users.peek('a'), () => users.refund('a'), () => gov.buckets('users', options)]) {
    isCoded(thrown(call), 'ERR_FORELOCK_CLOSED')
  }
})

test('keys that come often and keys that come once are told apart by nothing but their buckets', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 1, per: 86_400_000, burst: 40, keys: 20_000 })
  const taken = new Map<string, number>()
  for (let i = 0, state = 1; i < 60_000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const key = state % 3 === 0 ? `often ${(state >>> 8) % 200}` : `once ${i % 15_000}`
    const count = taken.get(key) ?? 0
    assert.is(users.tryTake(key).ok, count < 40, key)
    taken.set(key, count + 1)
  }
})

test('processes on one family together are never granted more than the rate and a burst', async () => {
  const name = `test-keyed-${process.pid}`
  const gov = open({ name })
  const numbers = { rate: 2000, burst: 1, keys: 16 }
  gov.buckets('users', numbers)
  const start = await gov.lock('start').acquire()
  const program = `
    import { open } from ${JSON.stringify(index)}
    const gov = open({ name: ${JSON.stringify(name)} })
    const users = gov.buckets('users', ${JSON.stringify(numbers)})
    console.log('ready')
    const grant = await gov.lock('start').acquire({ mode: 'shared' })
    const begin = gov.now()
    const counts = [0, 0, 0, 0, 0, 0]
    for (let i = 0; i < 400000; i++) if (users.tryTake('key ' + (i % 6)).ok) counts[i % 6]++
    console.log(JSON.stringify({ begin, end: gov.now(), counts }))
    grant.release()`
  const children = [1, 2].map(() =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  )
  const lines = children.map(child => createInterface(child.stdout)[Symbol.asyncIterator]())
  for (const line of lines) assert.is((await line.next()).value, 'ready')
  start.release()
  const reports = await Promise.all(lines.map(async line => JSON.parse((await line.next()).value)))
  for (const child of children) if (child.exitCode === null) await once(child, 'exit')
  const seconds = (Math.max(...reports.map(({ end }) => end)) - Math.min(...reports.map(({ begin }) => begin))) / 1e9
  for (let key = 0; key < 6; key++) {
    const sum = reports[0].counts[key] + reports[1].counts[key]
    assert.ok(sum > 0 && sum <= numbers.rate * seconds + numbers.burst, `key ${key}: ${sum} in ${seconds} s`)
  }
  await gov.close()
  unlink(name, { force: true })
})

test('a thread that opens the arena by its handle shares the family', async () => {
  const gov = open({ fresh: true })
  const { Worker } = await import('node:worker_threads')
  const users = gov.buckets('users', { rate: 1, per: 86_400_000, burst: 10, keys: 16 })
  assert.is(users.tryTake('a', 4).ok, true)
  const worker = new Worker(
    `import('tsx/esm/api').then(async ({ tsImport }) => {
       const { open } = await tsImport(${JSON.stringify(index)}, ${JSON.stringify(import.meta.url)})
       const { parentPort, workerData } = await import('node:worker_threads')
       const users = open({ handle: workerData }).buckets('users', { rate: 1, per: 86400000, burst: 10, keys: 16 })
       parentPort.postMessage([users.tryTake('a', 5), users.tryTake('a', 5)])
     })`,
    { eval: true, workerData: gov.handle }
  )
  const [answers] = await once(worker, 'message')
  assert.equal([answers[0].ok, answers[0].remaining, answers[1].ok], [true, 1, false])
  assert.is(users.peek('a').remaining, 1)
  await worker.terminate()
  await gov.close()
})

test('in a log it is what it is, and none of its keys', () => {
  const family = virtual().buckets('per-user', { rate: 10, keys: 100 })
  family.tryTake('ada')
  const short = { name: 'per-user', rate: 10, per: 1000, burst: 10, keys: 100, arena: '' }
  assert.equal(JSON.parse(JSON.stringify(family)), short)
  assert.is(inspect({ family }), inspect({ family: short }))
})

test.run()
