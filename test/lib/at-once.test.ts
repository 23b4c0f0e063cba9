import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { admitAtOnce } from '../../lib/at-once.js'
import type { Admission, AdmitParts, Bucket, Governor, Lock, Refusal } from '../../lib/index.js'
import { At, Code, RequestBit } from '../../lib/native/binding.js'
import { pools } from '../../lib/pool.js'
import { isCoded, isSettled, macrotask, thrown, virtual } from './support.js'

function world(gov: Governor = virtual()) {
  const pool = gov.pool('p', { capacity: { cpu: 4, memory: 100 } })
  const buckets = ['a', 'b', 'c', 'd', 'e'].map(name => gov.bucket(name, { rate: 10, burst: 10 }))
  const locks = ['l', 'm', 'n', 'o', 'q'].map(name => {
    const lock = gov.lock(name)
    lock.tryAcquire()?.release()
    return lock
  })
  const session = pools.sessionOf(pool)
  /** how often it was decided in one call */
  const called = { times: 0 }
  const tryAdmit = session.tryAdmit
  Object.assign(session, {
    tryAdmit: () => {
      called.times++
      tryAdmit()
    }
  })
  const left = () => buckets.map(bucket => bucket.peek().remaining)
  return { gov, pool, buckets, locks, session, called, left }
}

function admitted(answer: Admission | Refusal): Admission {
  if (!answer.ok) throw new Error(`refused by ${answer.kind} ${answer.name}`)
  return answer
}

const isFree = (lock: Lock | undefined) => lock?.tryAcquire()?.release() === true

test('a pool, four buckets and four locks are decided in one call', () => {
  const { gov, pool, buckets, locks, called, left } = world()
  const admission = admitted(
    gov.tryAdmit({
      pool: [pool, { memory: 7, cpu: 2 }],
      tokens: buckets.slice(0, 4).map((bucket, i) => [bucket, i + 1] as const),
      locks: locks.slice(0, 4)
    })
  )
  assert.is(called.times, 1)
  assert.equal(admission.allocation?.amounts, { cpu: 2, memory: 7 })
  assert.equal(
    admission.locks.map(({ name }) => name),
    ['l', 'm', 'n', 'o']
  )
  assert.equal(left(), [9, 8, 7, 6, 10])
  assert.not(locks.slice(0, 4).some(isFree))
  assert.is(admission.release(), true)
  assert.ok(locks.every(isFree))
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('what one call has no room for is decided all the same', () => {
  const { gov, buckets, locks, called, left } = world()
  const admission = admitted(gov.tryAdmit({ tokens: buckets.map(bucket => [bucket, 1] as const), locks }))
  assert.is(called.times, 0)
  assert.equal(left(), [9, 9, 9, 9, 9])
  assert.is(admission.release(), true)
  assert.ok(locks.every(isFree))
})

test('each kind of part may refuse, says so, and what was taken before goes back', () => {
  const { gov, pool, buckets, locks, called, left } = world()
  const parts = {
    pool: [pool, { cpu: 3 }],
    tokens: [[buckets[0]!, 1] as const, [buckets[1]!, 6] as const],
    locks: locks.slice(0, 2)
  } as const
  const refusal = () => gov.tryAdmit(parts)
  const first = admitted(gov.tryAdmit(parts))
  const held = locks[1]!.tryAcquire()
  assert.is(held, null)
  assert.equal(refusal(), { ok: false, kind: 'lock', name: 'l', waitMs: undefined })
  for (const grant of first.locks) grant.release()
  assert.equal(refusal(), { ok: false, kind: 'pool', name: 'p', waitMs: undefined })
  assert.ok(locks.every(isFree))
  first.release()
  assert.equal(refusal(), { ok: false, kind: 'bucket', name: 'b', waitMs: 200 })
  assert.is(called.times, 4)
  assert.equal(left(), [9, 4, 10, 10, 10])
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.ok(locks.every(isFree))
  gov.advance(200)
  assert.ok(refusal().ok)
})

test('the tier and the names of the request are those of its parts', () => {
  const { gov, pool, buckets, locks, called } = world()
  const admission = admitted(
    gov.tryAdmit(
      { pool: [pool, { cpu: 1 }], tokens: [[buckets[0]!, 1]], locks: [locks[0]!] },
      { tier: 'critical', tenant: 'acme', workflow: 'order' }
    )
  )
  assert.is(called.times, 1)
  assert.is(admission.locks[0]?.tier, 'critical')
  assert.is(admission.allocation?.tier, 'critical')
  assert.equal(pool.usage().tiers.critical?.used, { cpu: 1, memory: 0 })
  const own = gov.lock('l', { tier: 'background' })
  admission.release()
  own.tryAcquire()?.release()
  assert.is(admitted(gov.tryAdmit({ locks: [own] })).locks[0]?.tier, 'background')
})

test('what a getter asks for meanwhile is not mixed up with it', () => {
  const { gov, pool, buckets, locks, left } = world()
  const inner: Admission[] = []
  const amounts = {
    get cpu() {
      if (inner.length === 0)
        inner.push(admitted(gov.tryAdmit({ pool: [pool, { cpu: 1 }], tokens: [[buckets[4]!, 2]], locks: [locks[4]!] })))
      return 2
    }
  }
  const outer = admitted(gov.tryAdmit({ locks: [locks[0]!], pool: [pool, amounts], tokens: [[buckets[0]!, 3]] }))
  assert.equal(
    outer.locks.map(({ name }) => name),
    ['l']
  )
  assert.equal(outer.allocation?.amounts, { cpu: 2, memory: 0 })
  assert.is(left()[0], 7)
  assert.is(outer.release(), true)
  for (const one of inner) one.release()
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.ok(locks.every(isFree))
})

test('a getter that closes the governor has closed it', async () => {
  const { gov, pool, locks } = world()
  const closing: Promise<void>[] = []
  const amounts = {
    get cpu() {
      closing.push(gov.close())
      return 1
    }
  }
  isCoded(
    thrown(() => gov.tryAdmit({ locks: [locks[0]!], pool: [pool, amounts] })),
    'ERR_FORELOCK_CLOSED'
  )
  await Promise.all(closing)
})

test('what is known to be special of a lock is kept: mode, ttl, and that it may not be there yet', async () => {
  const { gov, locks } = world()
  const shared = gov.lock('l', { mode: 'shared' })
  const both = [admitted(gov.tryAdmit({ locks: [shared] })), admitted(gov.tryAdmit({ locks: [shared] }))]
  assert.is(both[0]?.locks[0]?.mode, 'shared')
  for (const one of both) assert.is(one.release(), true)
  const brief = admitted(gov.tryAdmit({ locks: [gov.lock('m', { ttl: 10 })] }))
  gov.advance(20)
  await macrotask()
  assert.ok(isFree(locks[1]))
  assert.is(brief.release(), false)
  assert.is(admitted(gov.tryAdmit({ locks: [gov.lock('never seen')] })).release(), true)
})

test('what was asked for before is known again, and nothing else is taken for it', () => {
  const { gov, pool, buckets, locks, called, left } = world()
  const [a, b, c] = buckets as [Bucket, Bucket, Bucket]
  const [l, m] = locks as [Lock, Lock]
  const ask = (tokens: readonly (readonly [Bucket, number])[], wanted: readonly Lock[], amounts: Record<string, number> = { cpu: 1 }) =>
    gov.tryAdmit({ pool: [pool, amounts], tokens, locks: wanted })
  const both = [[a, 1] as const, [b, 1] as const]
  for (let times = 1; times <= 3; times++) {
    assert.is(admitted(ask(both, [l, m])).release(), true)
    assert.is(called.times, times)
  }
  assert.equal(left(), [7, 7, 10, 10, 10])
  const asksTwice = [() => ask([[b, 1] as const, [b, 1] as const], [l, m]), () => ask(both, [m, m]), () => ask(both, [l, l])]
  const another = gov.lock('l')
  another.tryAcquire()?.release()
  for (const twice of [
    ...asksTwice,
    () => ask(both, [another, l]),
    () =>
      ask(
        [
          [b, 1],
          [a, 1],
          [b, 2]
        ],
        [l]
      )
  ]) {
    isCoded(thrown(twice), 'ERR_FORELOCK_ARGUMENT')
    assert.is(admitted(ask(both, [l, m])).release(), true)
  }
  const places = [[b, 1] as const, [a, 0] as const]
  const wrong = [
    () => ask(both, [a as unknown as Lock, m]),
    () => ask([[l as unknown as Bucket, 1] as const], [l]),
    () => ask(places, [l]),
    () => ask([[a, Number.NaN] as const], [l]),
    () => ask(both, [l, m], { cpu: 1, gpu: 1 }),
    () => gov.tryAdmit({ pool: [a as never, { cpu: 1 }] }),
    () => gov.tryAdmit({ locks: [undefined as never] }),
    () => gov.tryAdmit({ tokens: [[undefined as never, 1]] }),
    () => gov.tryAdmit({ pool: [undefined as never, { cpu: 1 }] })
  ]
  for (const asks of wrong) isCoded(thrown(asks), 'ERR_FORELOCK_ARGUMENT')
  isCoded(
    thrown(() => ask([[virtual().bucket('a', { rate: 10 }), 1]], [l])),
    'ERR_FORELOCK_ARGUMENT'
  )
  const before = called.times
  assert.is(admitted(ask([[b, 1] as const, [a, 1] as const, [c, 2] as const], [m, l])).release(), true)
  assert.is(called.times, before + 1)
  assert.ok(locks.every(isFree))
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('a getter that asks for the same things in another order does not have one taken twice', () => {
  const { gov, buckets, locks } = world()
  const [l, m] = locks as [Lock, Lock]
  admitted(gov.tryAdmit({ locks: [l, m] })).release()
  let asked = 0
  const list = [l, m]
  Object.defineProperty(list, 1, {
    get() {
      if (asked++ === 0) admitted(gov.tryAdmit({ locks: [m, l], tokens: [[buckets[0]!, 1]] })).release()
      return l
    }
  })
  isCoded(
    thrown(() => gov.tryAdmit({ locks: list })),
    'ERR_FORELOCK_ARGUMENT'
  )
  assert.ok(locks.every(isFree))
})

/** Whether each call was told no more than that it is the same again. */
function overheard(session: ReturnType<typeof pools.sessionOf>): boolean[] {
  const again: boolean[] = []
  const { tryAdmit, scratch } = session
  Object.assign(session, {
    tryAdmit: () => {
      again.push((scratch[At.Request] & RequestBit.Again) !== 0)
      tryAdmit()
    }
  })
  return again
}

test('who asks for the same again writes nothing of it, and what differs in anything is not taken for it', () => {
  const { gov, pool, buckets, locks, session, left } = world()
  const again = overheard(session)
  const [a, b] = buckets as [Bucket, Bucket]
  const [l, m] = locks as [Lock, Lock]
  const same = () => ({ pool: [pool, { cpu: 2, memory: 3 }] as const, tokens: [[a, 1] as const, [b, 2] as const], locks: [l, m] })
  const ends = (answer: Admission | Refusal) => assert.is(admitted(answer).release(), true)
  for (let times = 0; times < 3; times++) {
    const admission = admitted(gov.tryAdmit(same()))
    assert.equal(admission.allocation?.amounts, { cpu: 2, memory: 3 })
    assert.equal(
      admission.locks.map(({ name }) => name),
      ['l', 'm']
    )
    assert.not([l, m].some(isFree))
    assert.is(admission.release(), true)
  }
  assert.equal(again, [false, true, true])
  assert.equal(left(), [7, 4, 10, 10, 10])
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  const others: [AdmitParts, (admission: Admission) => void, number[]][] = [
    [{ ...same(), tokens: [[a, 1] as const, [b, 1] as const] }, () => {}, [1, 1]],
    [{ ...same(), tokens: [[a, 1] as const] }, () => {}, [1, 0]],
    [{ ...same(), tokens: undefined }, () => {}, [0, 0]],
    [{ ...same(), pool: [pool, { cpu: 2 }] }, ({ allocation }) => assert.equal(allocation?.amounts, { cpu: 2, memory: 0 }), [1, 2]],
    [{ ...same(), pool: undefined }, ({ allocation }) => assert.is(allocation, undefined), [1, 2]],
    [{ ...same(), locks: [l] }, held => assert.is(held.locks.length, 1), [1, 2]],
    [{ ...same(), locks: undefined }, held => assert.is(held.locks.length, 0), [1, 2]],
    [{ ...same(), locks: [m, l] }, ({ locks: [first] }) => assert.is(first?.name, 'm'), [1, 2]]
  ]
  for (const [parts, look, [first, second]] of others) {
    gov.advance(10_000)
    ends(gov.tryAdmit(same()))
    again.length = 0
    const before = left()
    const admission = admitted(gov.tryAdmit(parts))
    assert.equal(again, [false])
    assert.equal(left().slice(0, 2), [before[0]! - first!, before[1]! - second!])
    look(admission)
    assert.is(admission.release(), true)
  }
  gov.advance(10_000)
  ends(gov.tryAdmit(same()))
  again.length = 0
  const urgent = admitted(gov.tryAdmit(same(), { tier: 'critical' }))
  assert.equal([urgent.allocation?.tier, urgent.locks[1]?.tier], ['critical', 'critical'])
  ends(urgent)
  gov.advance(10_000)
  const named = admitted(gov.tryAdmit(same(), { tier: 'critical', tenant: 'acme' }))
  assert.equal(again, [false, true])
  assert.equal([named.allocation?.tier, named.locks[0]?.tier], ['critical', 'critical'])
  ends(named)
  gov.advance(10_000)
  const plain = admitted(gov.tryAdmit(same()))
  assert.equal([plain.allocation?.tier, plain.locks[0]?.tier], ['standard', 'standard'])
  ends(plain)
})

test('what another account on the arena has asked for since is not taken for what was asked for before', () => {
  const { gov, pool, locks, session } = world()
  const beside = session.beside()
  const again = overheard(session)
  const mine = { pool: [pool, { cpu: 1 }], locks: [locks[0]!] } as const
  for (let times = 0; times < 2; times++) admitted(gov.tryAdmit(mine)).release()
  const theirs = admitAtOnce(beside, [pool, { cpu: 3 }], undefined, [locks[1]!], beside.plainAsk)
  assert.is((theirs as Admission).allocation?.amounts.cpu, 3)
  const held = admitted(gov.tryAdmit(mine))
  assert.equal(again, [false, true, true, false])
  assert.equal(held.allocation?.amounts, { cpu: 1, memory: 0 })
  assert.is(isFree(locks[0]), false)
  assert.equal(pool.usage().used, { cpu: 4, memory: 0 })
  assert.is(held.release(), true)
  assert.is((theirs as Admission).release(), true)
})

test('a getter that asks for something else, in what would be the same again, has it asked for anew', () => {
  const { gov, pool, locks, session } = world()
  const [l, m] = locks as [Lock, Lock]
  const mine = { pool: [pool, { cpu: 1 }] as const, locks: [l, m] }
  for (let times = 0; times < 2; times++) admitted(gov.tryAdmit(mine)).release()
  const again = overheard(session)
  let asked = 0
  const list = [l, m]
  Object.defineProperty(list, 1, {
    get() {
      if (asked++ === 0) {
        admitted(gov.tryAdmit({ pool: [pool, { cpu: 4 }], locks: [m] })).release()
        isCoded(
          thrown(() => gov.tryAdmit({ pool: [pool, { cpu: 4 }], locks: [l, l] })),
          'ERR_FORELOCK_ARGUMENT'
        )
      }
      return m
    }
  })
  const held = admitted(gov.tryAdmit({ pool: [pool, { cpu: 1 }], locks: list }))
  assert.equal(again, [false, false])
  assert.equal(
    held.locks.map(({ name }) => name),
    ['l', 'm']
  )
  assert.not([l, m].some(isFree))
  assert.is(held.release(), true)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

/** A pair of which one place is looked at by a getter, which does something else the first time. */
function interrupted<First, Second>(pair: readonly [First, Second], at: 0 | 1, meanwhile: () => void): readonly [First, Second] {
  const list: [First, Second] = [...pair]
  let looked = 0
  Object.defineProperty(list, at, {
    get() {
      if (looked++ === 0) meanwhile()
      return pair[at]
    }
  })
  return list
}

test('what a getter asked for, while something else was written, is not taken for that when it is asked for again', () => {
  const { gov, pool, buckets, locks } = world()
  const [a] = buckets as [Bucket]
  const other = gov.pool('other', { capacity: { cpu: 4 } })
  const ends = (answer: Admission | Refusal) => assert.is(admitted(answer).release(), true)
  ends(gov.tryAdmit({ tokens: [interrupted([a, 1], 1, () => ends(gov.tryAdmit({ tokens: [[a, 4]] })))] }))
  assert.is(a.peek().remaining, 5)
  ends(gov.tryAdmit({ tokens: [[a, 1]] }))
  assert.is(a.peek().remaining, 4)
  ends(gov.tryAdmit({ pool: interrupted([other, { cpu: 2 }], 0, () => ends(gov.tryAdmit({ pool: [pool, { cpu: 2 }] }))) }))
  const units = admitted(gov.tryAdmit({ pool: [other, { cpu: 2 }] }))
  assert.equal([pool.usage().used.cpu, other.usage().used.cpu], [0, 2])
  assert.is(units.release(), true)
  // It throws with some of it written.
  const [l, m] = locks as [Lock, Lock]
  const first = interrupted([m, l], 0, () => ends(gov.tryAdmit({ locks: [l] })))
  const list = interrupted(first, 1, () => {
    throw new Error('mine')
  })
  Object.defineProperty(list, 0, { get: () => first[0] })
  assert.is(thrown(() => gov.tryAdmit({ locks: list })).message, 'mine')
  const held = admitted(gov.tryAdmit({ locks: [m] }))
  assert.equal([l, m].map(isFree), [true, false])
  assert.is(held.release(), true)
})

test('nor inside of another getter of the same request', () => {
  const { gov, buckets, left } = world()
  const [a, b] = buckets as [Bucket, Bucket]
  const asks = (tokens: number) => () => void admitted(gov.tryAdmit({ tokens: [[a, tokens]] }))
  gov.tryAdmit({ tokens: [interrupted([a, 1], 1, asks(4)), interrupted([b, 1], 1, asks(1))] })
  assert.equal(left().slice(0, 2), [4, 9])
})

test('what a getter has another account ask for again is written over what was written, which is asked for part by part', () => {
  const { gov, locks, session, called } = world()
  const beside = session.beside()
  const [l, m, n] = locks as [Lock, Lock, Lock]
  const theirs = () => assert.is((admitAtOnce(beside, undefined, undefined, [n], beside.plainAsk) as Admission).ok, true)
  admitted(admitAtOnce(beside, undefined, undefined, [n], beside.plainAsk) as Admission).release()
  const held = admitted(gov.tryAdmit({ locks: interrupted([l, m], 1, theirs) }))
  assert.is(called.times, 0)
  assert.not([l, m, n].some(isFree))
  assert.is(held.release(), true)
})

test('a number of nothing that was asked for is refused, and nothing is taken', () => {
  const { gov, pool, locks, session } = world()
  const { scratch } = session
  const askFor = (number: number) => {
    scratch[At.Arena] = session.arena
    scratch[At.Request] = 1 | RequestBit.Again
    scratch[At.Asked] = number
    session.tryAdmit()
    return scratch[At.OutCode]
  }
  for (const number of [0, 1, -1]) assert.is(askFor(number), Code.Differs)
  admitted(gov.tryAdmit({ pool: [pool, { cpu: 1 }], locks: [locks[0]!] })).release()
  const { number } = session.asked
  for (const other of [0, number - 1, number + 1]) assert.is(askFor(other), Code.Differs)
  // What was found to make no sense is not the last that did.
  scratch[At.Request] = 1
  scratch[At.Locks] = 5
  session.tryAdmit()
  assert.is(scratch[At.OutCode], Code.BadArgument)
  assert.is(askFor(number), Code.Differs)
  assert.ok(locks.every(isFree))
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('its end is one call where nothing else is to be done, and serves those who wait', async () => {
  const { gov, pool, locks, session } = world()
  const releaseTogether = session.releaseTogether
  let calls = 0
  Object.assign(session, {
    releaseTogether: () => {
      calls++
      releaseTogether()
    }
  })
  const parts = { pool: [pool, { cpu: 3 }], locks: [locks[0]!] } as const
  const first = admitted(gov.tryAdmit(parts))
  const next = gov.admit(parts)
  await macrotask()
  assert.is(await isSettled(next), false)
  assert.is(first.release(), true)
  assert.is((await next).release(), true)
  calls = 0
  assert.is(admitted(gov.tryAdmit(parts)).release(), true)
  assert.is(calls, 1)
  const watched = admitted(gov.tryAdmit(parts))
  assert.is(watched.signal.aborted, false)
  calls = 0
  assert.is(watched.release(), true)
  assert.is(calls, 0)
  const closing = gov.close({ drain: 1_000 })
  await closing
})

test('an admission of which a part is lost ends as false, and the rest is given back', async () => {
  const { gov, pool, locks } = world()
  const admission = admitted(gov.tryAdmit({ pool: [pool, { cpu: 3 }], locks: [locks[0]!] }))
  const thief = await locks[0]!.acquire({ steal: true })
  assert.is(admission.release(), false)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.is(thief.release(), true)
})

test('close({ drain }) waits for what was admitted, and goes on when it ends', async () => {
  const { gov, pool, locks } = world()
  const admission = admitted(gov.tryAdmit({ pool: [pool, { cpu: 3 }], locks: [locks[0]!] }))
  const closed = gov.close({ drain: 60_000 })
  await macrotask()
  assert.is(await isSettled(closed), false)
  assert.is(admission.release(), true)
  await closed
})

test('numbers that make no sense are refused by the addon before anything is taken', () => {
  const { pool, locks, session } = world()
  const { scratch, times } = session
  const write = (at: number, value: number) => () => {
    scratch[at] = value
  }
  const bad = [
    write(At.Locks, 5),
    write(At.Pools, 2),
    write(At.Buckets, -1),
    write(At.Parts, 1 << 30),
    write(At.Parts + 2, 4),
    write(At.Request, 8)
  ]
  const element = pools.sessionOf(pool).parts
  for (const spoil of bad) {
    scratch[At.Arena] = session.arena
    scratch[At.Request] = 1
    scratch[At.Locks] = 1
    scratch[At.Pools] = 0
    scratch[At.Buckets] = 0
    scratch[At.Parts] = (element[0] as { index: number } | undefined)?.index ?? 0
    scratch[At.Parts + 1] = 0
    scratch[At.Parts + 2] = 1
    times.fill(Number.NaN)
    spoil()
    session.tryAdmit()
    assert.is(scratch[At.OutCode], -10)
  }
  assert.ok(locks.every(isFree))
})

test.run()
