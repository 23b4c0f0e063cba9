import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type KeepChange, type PoolRequest, PoolWorld, type ShareChange, type TierUnits } from '../../../lib/plan/pool-world.js'
import { randomsOf } from '../../../lib/randoms.js'
import type { Policy } from '../../../lib/replay/policy.js'
import { AGEING_MS, DEFAULT_TIERS } from '../../../lib/replay/settings.js'
import { play, tierOf, workload } from '../replay/support.js'
import { macrotask, virtual } from '../support.js'

const SEEDS = 25
const REQUESTS = 200
const CAPACITY = 20
const PERIOD_MS = 100
const NEVER = 1e9
/** ms: whole nanoseconds as well, so both count without rounding. */
const FINE = 1 / 64
const [LOW, STANDARD, HIGH] = [0, 1, 2]

/** Requests as [time, tier, amount, duration]. */
function served(world: PoolWorld, asked: readonly (readonly [number, number, number, number])[]): number[] {
  for (const [time, tier, amount, duration] of asked) world.request({ time, tier, amount, duration })
  world.advance(NEVER)
  return world.waited
}

test('who finds no unit waits until one comes back, and the higher tier goes first', () => {
  const waited = served(new PoolWorld(1, 3, 0), [
    [0, LOW, 1, 100],
    [10, LOW, 1, 50],
    [20, HIGH, 1, 30]
  ])
  // 0 to 100; the high one 100 to 130; the other low one 130 to 180.
  assert.equal(waited, [120, 0, 80])
})

test('who does not fit lets others pass, of lower tiers too', () => {
  const waited = served(new PoolWorld(2, 3, 0), [
    [0, LOW, 1, 100],
    [10, HIGH, 2, 10],
    [20, LOW, 1, 10],
    // Of the same tier nobody passes it.
    [30, HIGH, 1, 10]
  ])
  // The low one goes at once; the high ones at 100 and 110.
  assert.equal(waited, [0, 0, 90 + 80])
})

test('who has outlived all tiers is passed by nobody who would take what it waits for', () => {
  const waitedBy1005 = (ageing: number) => {
    const world = new PoolWorld(2, 3, ageing)
    world.request({ time: 0, tier: LOW, amount: 1, duration: 1000 })
    world.request({ time: 1, tier: LOW, amount: 2, duration: 10 })
    for (let time = 100; time <= 1000; time += 100) world.request({ time, tier: HIGH, amount: 1, duration: 150 })
    world.advance(1005)
    return [world.waited[LOW], world.waited[HIGH]]
  }
  // One high request after the other has the second unit: from 100, 250 and 400 on, and so on up to 1000. Then there are two units: whoever is of the higher tier has both.
  assert.equal(waitedBy1005(0)[LOW], 1004)
  // With ageing of 100 ms the low one has outlived all four tiers at 401, so the high one that would go at 550 waits, and at 1000 the low one has both units.
  // The high ones of 200 and 300 waited 50 and 100 ms, those of 400 to 1000 wait until 1005.
  assert.equal(waitedBy1005(100), [999, 50 + 100 + 605 + 505 + 405 + 305 + 205 + 105 + 5])
})

test('what is kept free makes lower tiers wait, and the upper one is granted at once', () => {
  const world = new PoolWorld(2, 3, 0)
  world.keep({ time: 0, tier: HIGH, units: 1, until: 300 })
  const waited = served(world, [
    [0, LOW, 1, 100],
    [10, LOW, 1, 10],
    [50, HIGH, 1, 20]
  ])
  // The second one waits while a unit is kept from it: until the first is done, for then there are two.
  assert.equal(waited, [90, 0, 0])
})

test('whoever waits for what is kept goes when the keep is over, is taken back, or does not concern it any more', () => {
  const kept = (ageing: number, until: number) => {
    const world = new PoolWorld(1, 3, ageing)
    world.keep({ time: 0, tier: HIGH, units: 1, until })
    return world
  }
  assert.equal(served(kept(0, 300), [[100, LOW, 1, 10]]), [200, 0, 0])
  assert.equal(served(kept(80, 300), [[100, LOW, 1, 10]]), [160, 0, 0])
  assert.equal(served(kept(80, 300), [[100, STANDARD, 1, 10]]), [0, 80, 0])
  const world = kept(0, 300)
  world.request({ time: 100, tier: LOW, amount: 1, duration: 10 })
  world.keep({ time: 140, tier: HIGH, units: 0, until: 1 })
  world.advance(NEVER)
  assert.equal(world.waited, [40, 0, 0])
})

test('units may be parts of a whole', () => {
  const world = new PoolWorld(1, 3, 0)
  world.keep({ time: 0, tier: HIGH, units: 0.2, until: 300 })
  const waited = served(world, [
    [0, LOW, 0.7, 100],
    [0, LOW, 0.1, 400],
    [0, LOW, 0.1, 100],
    [10, HIGH, 0.2, 10]
  ])
  // The third one finds a fifth kept until 100, and the high one a fifth.
  assert.equal(waited, [100, 0, 0])
})

const part = (floor = 0, share = 0, ceiling = Number.POSITIVE_INFINITY): TierUnits => ({ floor, share, ceiling })

test('who is within its floor and share comes first, of whatever tier', () => {
  const asked = [
    [0, HIGH, 1, 100],
    [10, HIGH, 1, 10],
    [20, LOW, 1, 30]
  ] as const
  assert.equal(served(new PoolWorld(1, 3, 0, { parts: [part(), part(), part()] }), asked), [90, 0, 90])
  // The low one from 100 on, the high one after it.
  assert.equal(served(new PoolWorld(1, 3, 0, { parts: [part(0, 1), part(), part()] }), asked), [80, 0, 120])
})

test('a share that is changed holds until its end', () => {
  const world = (until: number) => {
    const made = new PoolWorld(1, 3, 0, { parts: [part(0, 1), part(), part()] })
    made.share({ time: 0, tier: HIGH, units: 1, until })
    return served(made, [
      [0, HIGH, 1, 100],
      [10, HIGH, 1, 10],
      [20, LOW, 1, 30]
    ])
  }
  assert.equal(world(200), [90, 0, 90])
  assert.equal(world(50), [80, 0, 120])
})

test('a floor is kept for its tier, a ceiling bounds it, and what neither allows at all is left out', () => {
  const floored = new PoolWorld(2, 3, 0, { parts: [part(), part(), part(1)] })
  const waited = served(floored, [
    [0, LOW, 1, 100],
    [10, LOW, 1, 10],
    [20, HIGH, 1, 10],
    [30, LOW, 2, 10]
  ])
  assert.equal(waited, [90, 0, 0])
  const capped = new PoolWorld(2, 3, 0, { parts: [part(0, 0, 1), part(), part()] })
  const bounded = served(capped, [
    [0, LOW, 1, 100],
    [10, LOW, 1, 10],
    [20, LOW, 2, 10]
  ])
  assert.equal(bounded, [90, 0, 0])
})

test('waits count as those of the group that is said, and else of the tier', () => {
  const world = new PoolWorld(1, 3, 0, { groups: 4 })
  world.request({ time: 0, tier: LOW, amount: 1, duration: 100 })
  world.request({ time: 10, tier: HIGH, amount: 1, duration: 10, group: 3 })
  world.request({ time: 20, tier: LOW, amount: 1, duration: 10 })
  world.advance(NEVER)
  assert.equal(world.waited, [90, 0, 0, 90])
})

test('a request that asks for nothing, or for more than there is, is left out', () => {
  const waited = served(new PoolWorld(2, 3, 0), [
    [0, LOW, 3, 100],
    [0, LOW, 0, 100],
    [0, LOW, Number.MAX_VALUE, 100],
    [1, LOW, 2, 100],
    [2, HIGH, 0, 10]
  ])
  assert.equal(waited, [0, 0, 0])
})

/** @param unit ms of which the times of all are whole numbers */
function randomRequests(random: () => number, meanGap: number, longest: number, unit: number): PoolRequest[] {
  let time = 0
  return Array.from({ length: REQUESTS }, () => {
    time += random() < 0.2 ? 0 : Math.round((-Math.log(1 - random()) * meanGap) / unit) * unit
    const tier = Math.floor(random() * DEFAULT_TIERS.length)
    const amount = random() < 0.1 ? 1 + Math.floor(random() * CAPACITY) : 1 + Math.floor(random() * 4)
    return { time, tier, amount, duration: Math.ceil((random() * longest) / FINE) * FINE }
  })
}

function randomKeeps(random: () => number, until: number, every: number): KeepChange[] {
  const all: KeepChange[] = []
  for (let time = 0; time < until; time += every) {
    if (random() > 0.3) continue
    const units = Math.floor((random() * CAPACITY) / 4)
    all.push({ time, tier: 1 + Math.floor(random() * 3), units, until: time + every * (0.5 + Math.floor(random() * 4)) })
  }
  return all
}

/** Plans as they are in the world, written at their times. */
function keeping(keeps: readonly KeepChange[]): Policy {
  let at = 0
  return {
    name: 'keeps',
    lag: 0,
    maxReserve: 1,
    onPeriod(view) {
      for (; at < keeps.length && (keeps[at] as KeepChange).time <= view.now; at++) {
        const { time, tier, units, until } = keeps[at] as KeepChange
        view.write({ kind: 'keep', pool: 'p', tier: DEFAULT_TIERS[tier] as string, amount: units / CAPACITY, until: until - time })
      }
    }
  }
}

/** Mean waits by tier in both, and whether anybody waited at all. */
async function compare(requests: readonly PoolRequest[], keeps: readonly KeepChange[], ageing: number, what: string): Promise<number> {
  const world = new PoolWorld(CAPACITY, DEFAULT_TIERS.length, ageing)
  const changes = [...keeps]
  for (const request of requests) {
    while (changes[0] !== undefined && changes[0].time <= request.time) world.keep(changes.shift() as KeepChange)
    world.request(request)
  }
  for (const change of changes) world.keep(change)
  world.advance(NEVER)
  const said = requests.map(request => ({ ...request, tier: DEFAULT_TIERS[request.tier] as string }))
  const work = workload(said, 1, { tiers: DEFAULT_TIERS, pools: [{ name: 'p', capacity: { slots: CAPACITY }, unit: 1 }] })
  const result = await play(work, keeping(keeps), PERIOD_MS)
  for (const [tier, name] of DEFAULT_TIERS.entries()) {
    const count = requests.filter(request => request.tier === tier).length
    const [own, real] = [(world.waited[tier] as number) / count, tierOf(result, name).waitMean]
    assert.ok(Math.abs(own - real) < 1e-6 * Math.max(1, real), `${what}, ${name}: ${own} ms, and ${real} ms of the core`)
  }
  return world.waited.reduce((all, ms) => all + ms, 0)
}

for (const [title, { gap, longest, unit, keepEvery, ageing }] of [
  ['the core makes the same requests wait for as long', { gap: 30, longest: 420, unit: FINE, keepEvery: 0, ageing: 0 }],
  ['so it does with what plans keep', { gap: 30, longest: 420, unit: FINE, keepEvery: PERIOD_MS, ageing: 0 }],
  ['so it does with ageing', { gap: 10_000, longest: 140_000, unit: FINE, keepEvery: 0, ageing: AGEING_MS }],
  // The core looks at pools with plans whenever its clock moves, in a replay each period: so who came at one ages at one,
  // and here nobody outlives all tiers, which it looks for as well.
  ['so it does with both', { gap: 2_000, longest: 12_000, unit: PERIOD_MS, keepEvery: 20 * PERIOD_MS, ageing: AGEING_MS }]
] as const) {
  test(title, async () => {
    let waited = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = randomsOf(seed)
      const requests = randomRequests(random, gap, longest, unit)
      const kept = keepEvery > 0 ? randomKeeps(random, (requests.at(-1) as PoolRequest).time, keepEvery) : []
      waited += await compare(requests, kept, ageing, `seed ${seed}`)
    }
    assert.ok(waited > 0)
  })
}

/** Parts of a pool of 20 and of its tiers, and changes of shares. */
function randomParts(random: () => number): TierUnits[] {
  return DEFAULT_TIERS.map(() => {
    const floor = random() < 0.4 ? Math.floor(random() * 4) : 0
    const share = Math.floor(random() * 8)
    return part(floor, share, random() < 0.5 ? Number.POSITIVE_INFINITY : floor + share + Math.floor(random() * 10))
  })
}

/** What the core makes the same requests wait, through the faces, in request ms by tier. */
async function really(requests: readonly PoolRequest[], parts: readonly TierUnits[], changes: readonly ShareChange[]): Promise<number[]> {
  const gov = virtual({ ageing: 0, maxReserve: 1 })
  const tiers = Object.fromEntries(
    DEFAULT_TIERS.map((tier, t) => {
      const { floor, share, ceiling } = parts[t] as TierUnits
      return [tier, { floor: floor / CAPACITY, share: share / CAPACITY, ceiling: Math.min(1, ceiling / CAPACITY) }]
    })
  )
  const pool = gov.pool('p', { capacity: { slots: CAPACITY }, tiers })
  const waited = DEFAULT_TIERS.map(() => 0)
  const ends: { at: number; release(): void }[] = []
  const began = gov.now() / 1e6
  const now = () => gov.now() / 1e6 - began
  const events = [...requests.map(request => ({ time: request.time, request })), ...changes.map(change => ({ time: change.time, change }))]
  events.sort((a, b) => a.time - b.time || Number('request' in a) - Number('request' in b))
  for (let at = 0; at < events.length || ends.length > 0; ) {
    ends.sort((a, b) => a.at - b.at)
    const [end] = ends
    const next = Math.min(events[at]?.time ?? NEVER, end?.at ?? NEVER)
    gov.advance(Math.max(0, next - now()))
    if (end !== undefined && end.at <= next) {
      ends.shift()
      end.release()
    } else {
      const event = events[at++] as (typeof events)[number]
      if ('change' in event) {
        const { tier, units, until, time } = event.change
        gov.plans.write({ kind: 'share', pool, tier: DEFAULT_TIERS[tier] as string, amount: units / CAPACITY, until: until - time })
      } else {
        const { tier, amount, duration, time } = event.request
        const granted = pool.allocate({ slots: amount }, { tier: DEFAULT_TIERS[tier] })
        granted.then(
          one => {
            waited[tier] = (waited[tier] as number) + now() - time
            ends.push({ at: now() + duration, release: () => one.release() })
          },
          () => {}
        )
      }
    }
    await macrotask()
  }
  await gov.close()
  return waited
}

test('so it does with floors, shares, ceilings and plans of shares', async () => {
  let sum = 0
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomsOf(seed)
    const parts = randomParts(random)
    // No two at once: the core serves what was told first.
    const requests = randomRequests(random, 40, 420, FINE).map((request, i) => ({ ...request, time: request.time + i * FINE }))
    const last = (requests.at(-1) as PoolRequest).time
    const changes: ShareChange[] = []
    for (let time = 0; time < last; time += 500) {
      const tier = Math.floor(random() * DEFAULT_TIERS.length)
      // Beyond the configured share, and no more of them at once than plans may add.
      const units = (parts[tier] as TierUnits).share + Math.floor(random() * 5)
      changes.push({ time: time + FINE / 2, tier, units, until: time + FINE / 2 + 400 })
    }
    const world = new PoolWorld(CAPACITY, DEFAULT_TIERS.length, 0, { parts })
    const coming = [...changes]
    for (const request of requests) {
      while (coming[0] !== undefined && coming[0].time <= request.time) world.share(coming.shift() as ShareChange)
      world.request(request)
    }
    world.advance(NEVER)
    const real = await really(requests, parts, changes)
    for (const [tier, ms] of real.entries()) {
      assert.ok(
        Math.abs(ms - (world.waited[tier] as number)) < 1,
        `seed ${seed}, tier ${tier}: ${world.waited[tier]} ms, and ${ms} ms of the core`
      )
    }
    sum += real.reduce((all, ms) => all + ms, 0)
  }
  assert.ok(sum > 1e5, String(sum))
})

test.run()
