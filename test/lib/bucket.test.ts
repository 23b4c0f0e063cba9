import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Bucket, type Governor, open, type PaceOptions, type Taken } from '../../lib/index.js'
import { Random } from '../survive/support.js'
import { Agent } from './agents.js'
import { isCoded, isSettled, rejection, thrown, virtual } from './support.js'

const DAY_MS = 86_400_000
const NS_PER_MS = 1e6

/** From one a day to ten million a second, and some whose period is no whole number of nanoseconds. */
const PACES: readonly PaceOptions[] = [
  { rate: 1, per: DAY_MS },
  { rate: 1, per: DAY_MS, burst: 3 },
  { rate: 7, per: 3_600_000, burst: 5 },
  { rate: 1 / 3, burst: 2 },
  { rate: 3, burst: 1 },
  { rate: 10 },
  { rate: 500, burst: 100 },
  { rate: 999_983, burst: 17 },
  { rate: 10_000_000, burst: 1 },
  { rate: 10_000_000, burst: 1_000 }
]

/** Moves the virtual clock to a time in ns, exactly. */
function moveTo(gov: Governor, ns: number): void {
  gov.advance((ns - gov.now()) / NS_PER_MS)
  assert.is(gov.now(), ns)
}

function empty(bucket: Bucket): void {
  assert.is(bucket.tryTake(bucket.burst).ok, true)
}

test('a full bucket gives its burst and then refuses, and a refusal says when to come again', () => {
  const bucket = virtual().bucket('a', { rate: 10, burst: 3 })
  assert.equal(bucket.tryTake(), { ok: true, waitMs: 0, remaining: 2 })
  assert.equal(bucket.tryTake(2), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(bucket.tryTake(), { ok: false, waitMs: 100, remaining: 0 })
  assert.equal(bucket.tryTake(3), { ok: false, waitMs: 300, remaining: 0 })
})

test('a refusal takes nothing', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 5 })
  bucket.tryTake(4)
  for (let i = 0; i < 10; i++) assert.is(bucket.tryTake(3).ok, false)
  assert.is(bucket.tryTake(1).ok, true)
})

test('without more it is a bucket of one second that holds its rate, rounded up, and of the rate that was given', () => {
  const gov = virtual()
  const of = ({ rate, per, burst }: Bucket) => ({ rate, per, burst })
  assert.equal(of(gov.bucket('a', { rate: 10 })), { rate: 10, per: 1000, burst: 10 })
  assert.equal(of(gov.bucket('b', { rate: 2.5 })), { rate: 2.5, per: 1000, burst: 3 })
  assert.equal(of(gov.bucket('c', { rate: 0.1, per: 250 })), { rate: 0.1, per: 250, burst: 1 })
})

test('a limiter says yes exactly when its refusal said it would, and not a nanosecond before', () => {
  for (const [at, pace] of PACES.entries()) {
    const gov = virtual()
    const bucket = gov.bucket('a', pace)
    const random = new Random(at + 1)
    let refusals = 0
    // As long as a double tells one nanosecond from the next.
    const end = 2 ** 53 - (2 * bucket.burst * bucket.per * NS_PER_MS) / bucket.rate
    while (refusals < 200 && gov.now() < end) {
      const n = 1 + random.below(bucket.burst)
      const taken = bucket.tryTake(n)
      if (!taken.ok) {
        refusals++
        const ready = gov.now() + Math.round(taken.waitMs * NS_PER_MS)
        moveTo(gov, ready - 1)
        assert.is(bucket.tryTake(n).ok, false, `pace ${at}: too early`)
        moveTo(gov, ready)
        assert.equal(bucket.tryTake(n).ok, true, `pace ${at}: too late`)
      }
      if (random.below(3) === 0) gov.advance((random.below(1000) / 700) * ((bucket.per * n) / bucket.rate))
    }
  }
})

test('fractions of a token are exact in the same way', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 1 })
  const random = new Random(7)
  for (let i = 0; i < 500; i++) {
    const n = (1 + random.below(1000)) / 1000
    const taken = bucket.tryTake(n)
    if (taken.ok) continue
    const ready = gov.now() + Math.round(taken.waitMs * NS_PER_MS)
    moveTo(gov, ready - 1)
    assert.is(bucket.tryTake(n).ok, false)
    moveTo(gov, ready)
    assert.is(bucket.tryTake(n).ok, true)
  }
})

test('in any window no more is admitted than rate * time + burst, whatever is asked for and refunded when', () => {
  for (const [at, pace] of PACES.entries()) {
    const gov = virtual()
    const bucket = gov.bucket('a', pace)
    const { rate, per, burst } = bucket
    const perNs = rate / per / NS_PER_MS
    // Two readings of the clock within one unit look the same: native/core/gcra.h. A token has 16 of them at least, 256 below 4 million a second.
    const units = perNs > 1 / 256 ? 2 / 16 : 2 / 256
    const random = new Random(100 + at)
    const taken: { at: number; n: number }[] = []
    for (let i = 0; i < 400; i++) {
      const n = 1 + random.below(Math.min(burst, 4))
      if (bucket.tryTake(n).ok) taken.push({ at: gov.now(), n })
      // Given back at once, as if it had never been taken: the window knows nothing of it.
      if (random.below(8) === 0 && bucket.tryTake(1).ok) bucket.refund(1)
      const step = random.below(4) === 0 ? random.below(3000) : random.below(600)
      gov.advance((step / 1000) * (per / rate))
    }
    for (let from = 0; from < taken.length; from++) {
      let sum = 0
      for (let to = from; to < taken.length; to++) {
        sum += taken[to]!.n
        const most = (taken[to]!.at - taken[from]!.at) * perNs + burst + units
        assert.ok(sum <= most * (1 + 1e-9), `pace ${at}: ${sum} in a window of ${most}`)
      }
    }
  }
})

test('nothing drifts: after 50,000 refills of a rate that is no whole number of nanoseconds the time is that of the rate', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 7 })
  empty(bucket)
  const from = gov.now()
  for (let round = 0; round < 50_000; round++) {
    gov.advance(bucket.tryTake(7).waitMs)
    assert.is(bucket.tryTake(7).ok, true)
  }
  assert.ok(Math.abs(gov.now() - from - 50_000 * 1e9) <= 1_000, `${gov.now() - from}`)
})

test('a bucket that was left alone for years is full, and no more than full', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 500, burst: 100 })
  empty(bucket)
  for (let year = 0; year < 10; year++) gov.advance(365 * DAY_MS)
  assert.is(bucket.tryTake(100).ok, true)
  assert.is(bucket.tryTake(1).ok, false)
})

test('peek tells what a take would, and when it is full again, and takes nothing', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 5 })
  assert.equal(bucket.peek(5), { ok: true, waitMs: 0, remaining: 5, limit: 5, resetMs: 0, reserved: 0 })
  bucket.tryTake(4)
  assert.equal(bucket.peek(), { ok: true, waitMs: 0, remaining: 1, limit: 5, resetMs: 400, reserved: 0 })
  assert.equal(bucket.peek(3), { ok: false, waitMs: 200, remaining: 1, limit: 5, resetMs: 400, reserved: 0 })
  gov.advance(200)
  assert.is(bucket.tryTake(3).ok, true)
})

test('a refund can be taken again, and fills no bucket beyond its burst', () => {
  const bucket = virtual().bucket('a', { rate: 1, burst: 5 })
  bucket.tryTake(5)
  bucket.refund(2)
  assert.is(bucket.tryTake(2).ok, true)
  assert.is(bucket.tryTake(1).ok, false)
  bucket.refund(1e6)
  assert.is(bucket.peek().remaining, 5)
  assert.is(bucket.tryTake(5).ok, true)
  assert.is(bucket.tryTake(1).ok, false)
})

test('a refund of more than any bucket can hold fills it', () => {
  const bucket = virtual().bucket('a', { rate: 1, per: DAY_MS, burst: 5 })
  bucket.tryTake(5)
  bucket.refund(1e300)
  assert.is(bucket.peek().remaining, 5)
})

test('a refund serves who waits', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 5 })
  empty(bucket)
  const waiting = bucket.take(2)
  bucket.refund(1)
  assert.is(await isSettled(waiting), false)
  bucket.refund(1)
  assert.equal(await waiting, { ok: true, waitMs: 0, remaining: 0 })
})

test('more than a burst is refused as something that can never be given', async () => {
  const bucket = virtual().bucket('a', { rate: 10, burst: 3 })
  for (const error of [thrown(() => bucket.tryTake(4)), thrown(() => bucket.peek(4)), await rejection(bucket.take(4))]) {
    isCoded(error, 'ERR_FORELOCK_EXCEEDS')
    assert.equal(error.facts, { resource: 'a', asked: 4 })
  }
  isCoded(
    thrown(() => bucket.tryTake(Number.MAX_VALUE)),
    'ERR_FORELOCK_EXCEEDS'
  )
  assert.is(bucket.peek().remaining, 3)
})

// ---- one bucket for all

test('two bucket objects of one name are one bucket, from any governor of the arena', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 3 })
  assert.is(bucket.tryTake(2).ok, true)
  assert.is(other.bucket('a').tryTake(1).ok, true)
  assert.is(other.bucket('a').tryTake(1).ok, false)
  assert.is(gov.bucket('b', { rate: 1 }).tryTake(1).ok, true)
  await other.close()
  isCoded(
    thrown(() => other.bucket('a')),
    'ERR_FORELOCK_CLOSED'
  )
  bucket.refund(1)
  assert.is(bucket.tryTake(1).ok, true)
  await gov.close()
})

test('a worker thread takes of the same bucket, and waits for what is refunded here', async () => {
  const gov = open({ fresh: true })
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 3 })
  const agent = await Agent.thread({ handle: gov.handle })
  try {
    assert.is((await agent.tryTake('a', 2).done).ok, true)
    assert.is(bucket.tryTake(1).ok, true)
    const waiting = agent.take('a', 2)
    await waiting.begun
    bucket.refund(2)
    assert.is((await waiting.done).ok, true)
    assert.is(bucket.tryTake(1).ok, false)
  } finally {
    await agent.kill()
    await gov.close()
  }
})

test('locks, buckets and pools of one name are different things', () => {
  const gov = virtual()
  assert.ok(gov.lock('a').tryAcquire())
  assert.is(gov.bucket('a', { rate: 1 }).tryTake().ok, true)
  assert.ok(gov.pool('a', { capacity: { cpu: 1 } }).tryAllocate({ cpu: 1 }))
})

test('a bucket that nobody made has no rate: it cannot be used before somebody says one', () => {
  const gov = virtual()
  isCoded(
    thrown(() => gov.bucket('a')),
    'ERR_FORELOCK_NOT_FOUND'
  )
  gov.bucket('a', { rate: 5 })
  assert.is(gov.bucket('a').rate, 5)
})

test('the first to say the pace is believed; another one is a ConfigError that names what differs, unless it is an update', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, per: 1000, burst: 5 })
  assert.is(gov.bucket('a', { rate: 10, burst: 5 }).burst, 5)
  for (const [option, given] of [
    ['rate', { rate: 11, burst: 5 }],
    ['per', { rate: 10, per: 500, burst: 5 }],
    ['burst', { rate: 10, burst: 6 }]
  ] as const) {
    const error = thrown(() => gov.bucket('a', given))
    isCoded(error, 'ERR_FORELOCK_CONFIG')
    assert.equal([error.option, error.stored, error.given], [option, bucket[option], (given as unknown as Record<string, number>)[option]])
  }
  assert.is(gov.bucket('a', { rate: 20, burst: 2, update: true }).rate, 20)
  assert.equal([bucket.rate, bucket.per, bucket.burst], [20, 1000, 2])
})

// ---- changing the rate

test('a rate that is changed live leaves what was taken: the debt goes on at the new rate', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  bucket.tryTake(6)
  bucket.configure({ rate: 2, burst: 10 })
  assert.is(bucket.peek().remaining, 4)
  assert.is(bucket.tryTake(5).waitMs, 500)
  bucket.configure({ rate: 1000, burst: 10 })
  assert.is(bucket.tryTake(5).waitMs, 1)
  gov.advance(1)
  assert.is(bucket.tryTake(5).ok, true)
})

test('what a change does not name stays as it is', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 600, per: 60_000, burst: 50 })
  const pace = () => [bucket.rate, bucket.per, bucket.burst]
  bucket.tryTake(20)
  bucket.configure({ rate: 1200 })
  assert.equal(pace(), [1200, 60_000, 50])
  assert.is(bucket.tryTake(31).waitMs, 50)
  bucket.configure({ burst: 30 })
  assert.equal(pace(), [1200, 60_000, 30])
  bucket.configure({ per: 1000, rate: undefined })
  assert.equal(pace(), [1200, 1000, 30])
  assert.is(bucket.peek().remaining, 10)
  bucket.configure({ rate: 5, per: 1, burst: 7 })
  assert.equal(pace(), [5, 1, 7])
})

test('a part that the rest of the pace cannot have is refused, and all stays as it was', () => {
  const bucket = virtual().bucket('a', { rate: 10, per: 1, burst: 1 })
  for (const pace of [{ rate: 1e9 }, { per: 1e-9 }, { burst: 0.5 }, { burst: Number.MAX_VALUE }, { rate: null }, {}, { per: undefined }]) {
    isCoded(
      thrown(() => bucket.configure(pace as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
    assert.equal([bucket.rate, bucket.per, bucket.burst], [10, 1, 1])
  }
})

test('over changes of the rate no window admits more than its rates and the larger burst', () => {
  const random = new Random(11)
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  let filled = 10
  let admitted = 0
  for (let i = 0; i < 2_000; i++) {
    if (random.below(20) === 0) bucket.configure({ rate: random.pick([1, 7, 10, 1000 / 3, 5000]), burst: 10 })
    while (bucket.tryTake(1).ok) admitted++
    const ms = random.below(1000)
    gov.advance(ms)
    filled += (bucket.rate * ms) / 1000
    assert.ok(admitted <= filled + 1e-6, `${admitted} of ${filled}`)
  }
})

test('who waits is served at the new rate', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 5 })
  empty(bucket)
  const waiting = bucket.take(5)
  gov.advance(1000)
  bucket.configure({ rate: 10, per: 1000 })
  gov.advance(499)
  assert.is(await isSettled(waiting), false)
  gov.advance(1)
  assert.is((await waiting).ok, true)
})

test('who waits for more than the burst has become is refused', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 5 })
  empty(bucket)
  const waiting = bucket.take(5)
  const behind = bucket.take(1)
  bucket.configure({ rate: 1, burst: 2 })
  gov.advance(6_000)
  isCoded(await rejection(waiting), 'ERR_FORELOCK_EXCEEDS')
  assert.is((await behind).ok, true)
})

test('a pace that cannot be kept is refused, and the present one stays', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10 })
  for (const pace of [{ rate: 1e9 }, { rate: 1, per: 9e12 }, { rate: 1, per: DAY_MS, burst: 1e12 }, { rate: 1e-300 }, { rate: 1e300 }]) {
    isCoded(
      thrown(() => bucket.configure(pace)),
      'ERR_FORELOCK_ARGUMENT'
    )
    isCoded(
      thrown(() => gov.bucket('new', pace)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(bucket.rate, 10)
})

// ---- buckets above

test('what is taken of a bucket is taken of those above it, or of none', () => {
  const gov = virtual()
  const all = gov.bucket('all', { rate: 1, burst: 10 })
  const one = gov.bucket('one', { rate: 1, burst: 6, parent: all })
  const two = gov.bucket('two', { rate: 1, burst: 6, parent: all })
  assert.equal(one.tryTake(6), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(two.tryTake(6), { ok: false, waitMs: 2_000, remaining: 6 })
  assert.is(all.peek().remaining, 4)
  assert.is(two.tryTake(4).ok, true)
  assert.is(two.peek().remaining, 2)
  one.refund(5)
  assert.is(all.peek().remaining, 5)
  assert.is(one.peek().remaining, 5)
})

test('the wait of a hierarchy is that of its slowest level, to the nanosecond', () => {
  const random = new Random(3)
  const gov = virtual()
  const top = gov.bucket('top', { rate: 3, burst: 4 })
  const middle = gov.bucket('middle', { rate: 1000 / 3, burst: 3, parent: top })
  const bottom = gov.bucket('bottom', { rate: 7, burst: 6, parent: middle })
  for (let i = 0; i < 300; i++) {
    const n = 1 + random.below(3)
    const taken = bottom.tryTake(n)
    if (taken.ok) continue
    const ready = gov.now() + Math.round(taken.waitMs * NS_PER_MS)
    moveTo(gov, ready - 1)
    assert.is(bottom.tryTake(n).ok, false)
    moveTo(gov, ready)
    assert.is(bottom.tryTake(n).ok, true)
  }
})

test('more than a bucket above can hold is never given, whoever waits already', async () => {
  const gov = virtual()
  const all = gov.bucket('all', { rate: 1, burst: 2 })
  const one = gov.bucket('one', { rate: 1, burst: 10, parent: all })
  const isNever = async () => {
    for (const error of [
      thrown(() => one.tryTake(3)),
      thrown(() => one.tryTake(3, { tier: 'critical' })),
      thrown(() => gov.tryAdmit({ tokens: [[one, 3]] })),
      await rejection(one.take(3)),
      await rejection(gov.admit({ tokens: [[one, 3]] }))
    ])
      isCoded(error, 'ERR_FORELOCK_EXCEEDS')
  }
  await isNever()
  assert.is(one.peek(1).remaining, 10)
  empty(all)
  await isNever()
  const waiting = [one.take(1), all.take(1)]
  await isNever()
  gov.advance(2_000)
  assert.equal(
    (await Promise.all(waiting)).map(({ ok }) => ok),
    [true, true]
  )
})

test('who waits below is served when the one above has tokens', async () => {
  const gov = virtual()
  const all = gov.bucket('all', { rate: 1, burst: 2 })
  const one = gov.bucket('one', { rate: 100, burst: 10, parent: all })
  empty(all)
  const waiting = one.take(2)
  gov.advance(1_999)
  assert.is(await isSettled(waiting), false)
  gov.advance(1)
  assert.is((await waiting).ok, true)
})

test('a hierarchy has eight levels at most, no circle, one arena, and the same parent for all', () => {
  const gov = virtual()
  const levels = [gov.bucket('level 1', { rate: 1 })]
  for (let level = 2; level <= 8; level++) levels.push(gov.bucket(`level ${level}`, { rate: 1, parent: levels.at(-1) }))
  assert.is(levels.at(-1)?.tryTake().ok, true)
  assert.is(levels[0]?.tryTake().ok, false)
  const isRefused = (call: () => unknown) => {
    const error = thrown(call)
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, 'parent')
  }
  isRefused(() => gov.bucket('level 9', { rate: 1, parent: levels.at(-1) }))
  isRefused(() => gov.bucket('level 1', { rate: 1, parent: levels[0] }))
  isRefused(() => gov.bucket('x', { rate: 1, parent: virtual().bucket('far', { rate: 1 }) }))
  const error = thrown(() => gov.bucket('level 3', { rate: 1, parent: levels[0], update: true }))
  isCoded(error, 'ERR_FORELOCK_CONFIG')
  assert.is(error.option, 'parent')
})

// ---- waiting

test('take waits until the tokens are there, and the next ones are served in the order in which they came', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 3 })
  assert.equal(await bucket.take(3), { ok: true, waitMs: 0, remaining: 0 })
  const order: number[] = []
  const all = [1, 3, 1, 2].map((n, i) =>
    bucket.take(n).then(taken => {
      assert.is(taken.ok, true)
      order.push(i)
    })
  )
  for (const [ms, served] of [
    [99, 0],
    [1, 1],
    [299, 1],
    [1, 2],
    [100, 3],
    [200, 4]
  ] as const) {
    gov.advance(ms)
    await isSettled(Promise.resolve())
    assert.is(order.length, served, `after ${ms} ms more`)
  }
  await Promise.all(all)
  assert.equal(order, [0, 1, 2, 3])
})

test('waits are served at their own times within one long step of the clock', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 1 })
  empty(bucket)
  const all = Promise.all(Array.from({ length: 50 }, () => bucket.take()))
  gov.advance(60_000)
  assert.is((await all).length, 50)
  assert.is(bucket.tryTake().ok, true, 'they were served long ago')
})

test('a higher tier is served before a lower one that came earlier, until that has aged', async () => {
  const gov = virtual({ ageing: 1_000 })
  const bucket = gov.bucket('a', { rate: 1, per: 10_000, burst: 1 })
  empty(bucket)
  const order: string[] = []
  const ask = (tier: string, label = tier) => bucket.take(1, { tier }).then(() => order.push(label))
  const all = [ask('background'), ask('standard'), ask('critical'), ask('interactive')]
  gov.advance(10_000)
  await isSettled(Promise.resolve())
  assert.equal(order, ['critical'])
  all.push(ask('critical', 'late'))
  gov.advance(40_000)
  await Promise.all(all)
  assert.equal(order, ['critical', 'interactive', 'standard', 'background', 'late'])
})

test('tryTake passes nobody of its own tier or a higher one, and may pass a lower one', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 5 })
  bucket.tryTake(3)
  const waiting = bucket.take(4)
  assert.is(bucket.tryTake(1).ok, false)
  assert.is(bucket.tryTake(1, { tier: 'background' }).ok, false)
  assert.is(bucket.tryTake(1, { tier: 'interactive' }).ok, true)
  gov.advance(3_000)
  assert.is((await waiting).ok, true)
})

test('a wait ends with a TimeoutError that says for what and how long', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 2 })
  empty(bucket)
  const waiting = bucket.take(2, { waitTimeout: 200 })
  gov.advance(199)
  assert.is(await isSettled(waiting), false)
  gov.advance(1)
  const error = await rejection(waiting)
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.equal(error.facts, { resource: 'a', waitedMs: 200 })
})

test('who times out or is aborted leaves its tokens to those behind', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 5 })
  empty(bucket)
  const controller = new AbortController()
  const first = bucket.take(5, { signal: controller.signal })
  const second = bucket.take(4, { waitTimeout: 1_500 })
  const third = bucket.take(2)
  controller.abort('over')
  assert.is(await rejection(first), 'over')
  gov.advance(1_999)
  isCoded(await rejection(second), 'ERR_FORELOCK_TIMEOUT')
  assert.is(await isSettled(third), false)
  gov.advance(1)
  assert.is((await third).ok, true)
  assert.is(bucket.peek().remaining, 0)
})

test('who is refused because another waits is told when that one is to be served', async () => {
  const gov = open({ clock: 'virtual' })
  const bucket = gov.bucket('b', { rate: 10, burst: 5 })
  bucket.tryTake(5)
  const first = bucket.take(5)
  gov.advance(300)
  assert.equal(bucket.tryTake(1), { ok: false, waitMs: 200, remaining: 3 })
  assert.is(bucket.peek(1).waitMs, 200)
  gov.advance(200)
  assert.is((await first).ok, true)
  assert.is(bucket.tryTake(1).waitMs, 100)
  await gov.close()
})

test('with a waitTimeout of 0 take takes what is there and waits for nothing', async () => {
  const bucket = virtual().bucket('a', { rate: 1, burst: 2 })
  assert.is((await bucket.take(2, { waitTimeout: 0 })).ok, true)
  const error = await rejection(bucket.take(1, { waitTimeout: 0 }))
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.is(error.waitedMs, 0)
})

test('a signal that is aborted already rejects with its reason and takes nothing, though there is enough', async () => {
  const bucket = virtual().bucket('a', { rate: 1, burst: 2 })
  const reason = new Error('no')
  assert.is(await rejection(bucket.take(1, { signal: AbortSignal.abort(reason) })), reason)
  assert.is(bucket.peek().remaining, 2)
})

test('a wait leaves no listener on its signal, however it ends', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 1 })
  empty(bucket)
  const { signal } = new AbortController()
  const served = bucket.take(1, { signal })
  const late = bucket.take(1, { signal, waitTimeout: 100 })
  assert.is(getEventListeners(signal, 'abort').length, 1)
  gov.advance(100)
  await served
  isCoded(await rejection(late), 'ERR_FORELOCK_TIMEOUT')
  assert.is(getEventListeners(signal, 'abort').length, 0)
})

test('close() settles every wait, and says of what', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS })
  empty(bucket)
  const waits = [bucket.take(), bucket.take(1, { tier: 'critical' })]
  const closing = gov.close()
  for (const wait of waits) {
    const error = await rejection(wait)
    isCoded(error, 'ERR_FORELOCK_CLOSED')
    assert.is(error.resource, 'a')
  }
  await closing
  for (const error of [
    thrown(() => bucket.tryTake()),
    thrown(() => bucket.peek()),
    thrown(() => bucket.refund()),
    thrown(() => bucket.rate)
  ])
    isCoded(error, 'ERR_FORELOCK_CLOSED')
  isCoded(await rejection(bucket.take()), 'ERR_FORELOCK_CLOSED')
})

test('close({ drain }) lets waits be served that can be, and lets nothing new in', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 2 })
  empty(bucket)
  const soon = bucket.take(1)
  const never = bucket.take(2)
  const closing = gov.close({ drain: 2_000 })
  isCoded(await rejection(bucket.take(1)), 'ERR_FORELOCK_CLOSED')
  isCoded(
    thrown(() => bucket.tryTake(1, { tier: 'critical' })),
    'ERR_FORELOCK_CLOSED'
  )
  gov.advance(1_000)
  assert.is((await soon).ok, true)
  assert.is(await isSettled(closing), false)
  gov.advance(1_000)
  isCoded(await rejection(never), 'ERR_FORELOCK_CLOSED')
  await closing
})

test('the async context of the caller is there after a wait', async () => {
  const storage = new AsyncLocalStorage<string>()
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 1 })
  empty(bucket)
  const seen: (string | undefined)[] = []
  const all = ['one', 'two'].map(context =>
    storage.run(context, async () => {
      await bucket.take()
      seen.push(storage.getStore())
    })
  )
  storage.run('the clock', () => gov.advance(200))
  await Promise.all(all)
  assert.equal(seen, ['one', 'two'])
})

test('a thousand waits are all served, in order, as the tokens come', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1_000, burst: 1 })
  empty(bucket)
  const order: number[] = []
  const all = Array.from({ length: 1_000 }, (_, i) => bucket.take().then(() => order.push(i)))
  gov.advance(500)
  await isSettled(Promise.resolve())
  assert.is(order.length, 500)
  gov.advance(500)
  await Promise.all(all)
  assert.equal(
    order,
    Array.from({ length: 1_000 }, (_, i) => i)
  )
})

// ---- arguments

test('what is no number of tokens is an ArgumentError, and nothing is taken', async () => {
  const bucket = virtual().bucket('a', { rate: 1, burst: 5 })
  for (const n of [0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY, null, '1', 1n, {}, Symbol('n'), true] as never[]) {
    for (const call of [() => bucket.tryTake(n), () => bucket.tryTake(n, {}), () => bucket.peek(n), () => bucket.refund(n)]) {
      const error = thrown(call)
      isCoded(error, 'ERR_FORELOCK_ARGUMENT')
      assert.is(error.option, 'n')
    }
    isCoded(await rejection(bucket.take(n)), 'ERR_FORELOCK_ARGUMENT')
  }
  assert.is(bucket.peek().remaining, 5)
})

test('options that are misspelt or of the wrong type are refused before anything happens', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 5 })
  const refused: [string, () => unknown][] = [
    ['timeout', () => bucket.tryTake(1, { timeout: 1 } as never)],
    ['waitTimeout', () => bucket.tryTake(1, { waitTimeout: 1 } as never)],
    ['tier', () => bucket.tryTake(1, { tier: 'urgent' })],
    ['tenant', () => bucket.tryTake(1, { tenant: 1 as never })],
    ['workflow', () => bucket.tryTake(1, { workflow: null as never })],
    ['options', () => bucket.tryTake(1, null as never)],
    ['pace', () => bucket.configure(undefined as never)],
    ['pace', () => bucket.configure({})],
    ['rate', () => bucket.configure({ rate: null as never })],
    ['update', () => bucket.configure({ rate: 1, update: true } as never)],
    ['rate', () => gov.bucket('b', { rate: 0 })],
    ['rate', () => gov.bucket('b', { rate: '1' as never })],
    ['per', () => gov.bucket('b', { rate: 1, per: 0 })],
    ['per', () => gov.bucket('b', { rate: 1, per: Number.POSITIVE_INFINITY })],
    ['burst', () => gov.bucket('b', { rate: 1, burst: 0.5 })],
    ['parent', () => gov.bucket('b', { rate: 1, parent: {} as never })],
    ['update', () => gov.bucket('b', { rate: 1, update: 1 as never })],
    ['name', () => gov.bucket(1 as never, { rate: 1 })]
  ]
  for (const [option, call] of refused) {
    const error = thrown(call)
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
  for (const [option, options] of Object.entries({ waitTimeout: { waitTimeout: -1 }, signal: { signal: {} }, labels: { labels: [] } })) {
    const error = await rejection(bucket.take(1, options as never))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
  assert.is(bucket.peek().remaining, 5)
})

test('getters that call back into the same bucket do not spoil the request they are read for', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 10 })
  const other = gov.bucket('b', { rate: 1, burst: 10 })
  const taken: Taken = bucket.tryTake(2, {
    get tier() {
      other.tryTake(7)
      bucket.tryTake(1)
      return 'critical'
    },
    get tenant() {
      other.peek(3)
      return 'acme'
    }
  })
  assert.equal(taken, { ok: true, waitMs: 0, remaining: 7 })
  assert.is(other.peek().remaining, 3)
})

test('a getter that closes its governor leaves a typed error and takes nothing of what others share', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const bucket = gov.bucket('a', { rate: 1, per: DAY_MS, burst: 5 })
  const closing = {
    get tier() {
      gov.close()
      return 'critical'
    }
  }
  isCoded(
    thrown(() => bucket.tryTake(1, closing)),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(await rejection(bucket.take(1, closing)), 'ERR_FORELOCK_CLOSED')
  assert.is(other.bucket('a').peek().remaining, 5)
  await other.close()
})

test.run()
