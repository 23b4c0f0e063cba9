import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Ended, Policy, View } from '../../../lib/replay/policy.js'
import { isCoded, rejection } from '../support.js'
import { type Known, playByFaces } from './reference.js'
import { play, type Said, tierOf, workload } from './support.js'

test('who comes while the only slot is taken waits for its end, and the higher tier goes first', async () => {
  const result = await play(
    workload([
      { time: 0, duration: 100 },
      { time: 10, duration: 50 },
      { time: 20, duration: 30, tier: 'interactive' }
    ])
  )
  // 0 to 100; the interactive one 100 to 130; the other 130 to 180.
  assert.is(tierOf(result, 'interactive').waitMean, 80)
  assert.is(tierOf(result, 'background').waitMean, 60)
  assert.is(tierOf(result, 'background').waited, 0.5)
  assert.is(tierOf(result, 'background').late, 0.5)
  assert.is(result.makespan, 180)
})

test('what is done when the last request comes is done, and idle capacity is that of this time', async () => {
  const result = await play(
    workload(
      [
        { time: 0, duration: 40 },
        { time: 100, duration: 1000 }
      ],
      2
    )
  )
  assert.is(result.horizon, 100)
  assert.is(tierOf(result, 'background').done, 1)
  assert.is(tierOf(result, 'background').throughput, 10)
  // 40 slot ms of 200 were used.
  assert.is(result.idle, 0.8)
})

test('waits for tokens end when these are there', async () => {
  const asks: Said[] = Array.from({ length: 4 }, () => ({ time: 0, duration: 0, kind: 'bucket', thing: 'b' }))
  const result = await play(workload(asks, 1, { pools: [], buckets: [{ name: 'b', rate: 2 }] }))
  // A burst of two, then one each half second.
  assert.equal([tierOf(result, 'background').waitMean, tierOf(result, 'background').waitMax], [375, 1000])
  assert.is(tierOf(result, 'background').waited, 0.5)
})

test('requests for different numbers of tokens are granted in their order, each when there are enough', async () => {
  const asks: Said[] = [10, 4, 1].map(amount => ({ time: 0, duration: 0, kind: 'bucket', thing: 'b', amount }))
  const result = await play(workload(asks, 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] }))
  assert.is(tierOf(result, 'background').waitMax, 500)
  assert.ok(Math.abs(tierOf(result, 'background').waitMean - 300) < 1e-3)
})

test('lower tiers leave what is kept of a bucket, and go at the moment at which there is more, or it is over', async () => {
  const asks: Said[] = [
    ...Array.from({ length: 9 }, (): Said => ({ time: 0, duration: 0, kind: 'bucket', thing: 'b' })),
    { time: 50, duration: 0, kind: 'bucket', thing: 'b', tier: 'interactive' }
  ]
  const work = workload(asks, 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] })
  const keeping = (until: number): Policy => {
    let isWritten = false
    const onPeriod = (view: View) => {
      if (!isWritten) view.write({ kind: 'keep', bucket: 'b', tier: 'interactive', amount: 0.2, until })
      isWritten = true
    }
    return { name: 'keep', lag: 0, onPeriod }
  }
  for (const [until, waited] of [
    // The ninth needs three, of which the upper one takes one.
    [10_000, 200],
    [170, 170]
  ] as const) {
    const result = await play(work, keeping(until))
    assert.ok(Math.abs(tierOf(result, 'background').waitMax - waited) < 1e-3, String(tierOf(result, 'background').waitMax))
    assert.is(tierOf(result, 'interactive').waitMax, 0)
  }
})

test('who ages past what is kept of a bucket goes at that moment', async () => {
  const ofBucket = (time: number, tier: string): Said => ({ time, duration: 0, kind: 'bucket', thing: 'b', tier })
  const asks: Said[] = [
    ...Array.from({ length: 8 }, () => ofBucket(0, 'background')),
    ofBucket(33, 'background'),
    // As many as come, so that there are never three.
    ...Array.from({ length: 700 }, (_, i) => ofBucket(50 + 100 * i, 'interactive'))
  ]
  const work = workload(asks, 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] })
  let isWritten = false
  const result = await play(work, {
    name: 'keep',
    lag: 0,
    onPeriod(view) {
      if (!isWritten) view.write({ kind: 'keep', bucket: 'b', tier: 'interactive', amount: 0.2, until: 100_000 })
      isWritten = true
    }
  })
  assert.ok(Math.abs(tierOf(result, 'background').waitMax - 60_000) < 1e-3, String(tierOf(result, 'background').waitMax))
})

test('readers share a lock, and a writer waits for all of them', async () => {
  const asks: Said[] = [
    { time: 0, duration: 30, kind: 'lock', thing: 'l', shared: true },
    { time: 5, duration: 10, kind: 'lock', thing: 'l', shared: true },
    { time: 10, duration: 10, kind: 'lock', thing: 'l', tier: 'interactive' },
    { time: 10, duration: 10, kind: 'lock', thing: 'other', tier: 'interactive' }
  ]
  const result = await play(workload(asks, 1, { pools: [] }))
  assert.is(tierOf(result, 'background').waitMax, 0)
  assert.is(tierOf(result, 'interactive').waitMean, 10)
})

test('what can never be granted is refused, and counted', async () => {
  const result = await play(workload([{ time: 0, duration: 1, amount: 2 }]))
  assert.is(tierOf(result, 'background').refusals, 1)
  assert.is(tierOf(result, 'background').done, 0)
})

test('a request that was granted too little is done again with twice as much, and no more than there is', async () => {
  const learnt: number[] = []
  const policy: Policy = { name: 'small', size: () => [3], onEnd: ({ granted }) => learnt.push(granted[0] as number) }
  const result = await play(workload([{ time: 0, duration: 10, amount: 8, peak: 10 }], 10, { sized: true }), policy)
  // 3, 6, 10: three times 10 ms.
  assert.is(result.makespan, 30)
  assert.is(result.under, 2)
  assert.is(result.waste, 1.9)
  assert.equal(learnt, [10])
})

test('of what is sized each is sized when those before it have what they asked for and there is room, by what is over by then', async () => {
  const told: [over: number, amount: number][] = []
  let over = 0
  const policy: Policy = {
    name: 'sizes',
    size({ amounts }) {
      told.push([over, amounts[0] as number])
      return over === 0 ? amounts : [2]
    },
    onEnd() {
      over++
    }
  }
  const tasks = [1, 2, 3].map(() => ({ time: 0, duration: 10, amount: 6, peak: 2 }))
  const result = await play(workload(tasks, 10, { sized: true }), policy)
  assert.equal(told[0], [0, 6])
  assert.equal(told.at(-1), [1, 6])
  assert.is(result.makespan, 20, 'the second and the third at once, when the first is over')
  assert.is(result.waste, (6 + 2 + 2) / 6)
})

test('a policy learns how long something takes when it is over, and not before', async () => {
  const seen: [string, number, unknown][] = []
  const policy: Policy = {
    name: 'curious',
    onArrival: (arrival, { now }) => seen.push(['comes', now, arrival.time]),
    onEnd: ({ duration, waited }: Ended, { now }) => seen.push(['ends', now, [duration, waited]])
  }
  await play(
    workload([
      { time: 0, duration: 40 },
      { time: 10, duration: 5 }
    ]),
    policy
  )
  assert.equal(seen, [
    ['comes', 0, 0],
    ['comes', 10, 10],
    ['ends', 40, [40, 0]],
    ['ends', 45, [5, 30]]
  ])
})

test('only who says so sees what comes, and no further than that', async () => {
  const views: number[][] = []
  const look = (ahead: number): Policy => ({
    name: 'looks',
    ahead,
    onPeriod(view) {
      if (view.now === 0) views.push([...view.coming()].map(({ time }) => time))
    }
  })
  const work = workload([5, 900, 1100].map(time => ({ time, duration: 1 })))
  await play(work, look(1000))
  await play(work, look(0))
  assert.equal(views, [[5, 900], []])
})

test('a plan takes force one period after it was written, and ends at its deadline', async () => {
  let written = 0
  const policy: Policy = {
    name: 'keeps',
    maxReserve: 1,
    onPeriod(view) {
      if (written++ === 0) view.write({ kind: 'keep', pool: 'p', tier: 'interactive', amount: 0.5, until: 250 })
    }
  }
  const asks: Said[] = [
    { time: 50, duration: 1000 },
    { time: 150, duration: 1 },
    { time: 160, duration: 1, tier: 'interactive' }
  ]
  const result = await play(workload(asks, 2), policy)
  // Written at 0, in force from 100 to 350.
  assert.is(tierOf(result, 'background').waitMax, 200)
  assert.is(tierOf(result, 'interactive').waitMax, 0)
  assert.equal([result.written, result.hits], [1, 1])
  // From 150 to 160, when the last one came.
  assert.ok(Math.abs(result.kept - 0.01) < 1e-9, String(result.kept))
})

test('what is kept free is kept beyond what the tier has', async () => {
  const policy: Policy = { name: 'static', maxReserve: 1, reserves: () => new Map([['p', 1]]) }
  const asks: Said[] = [
    { time: 0, duration: 100, tier: 'interactive' },
    { time: 10, duration: 100 },
    { time: 20, duration: 10 },
    { time: 30, duration: 10, tier: 'interactive' }
  ]
  const result = await play(workload(asks, 3), policy)
  // One slot each of three; the third is kept, so the second of the lower tier waits until there are two, at 100.
  assert.is(tierOf(result, 'background').waitMax, 80)
  assert.is(tierOf(result, 'interactive').waitMax, 0)
})

test('a lock that is kept is let go when the hold ends, to within a millisecond', async () => {
  const policy: Policy = {
    name: 'holds',
    lag: 0,
    onPeriod(view) {
      if (view.now === 0) view.write({ kind: 'hold', lock: 'l', tier: 'interactive', until: 300 })
    }
  }
  const result = await play(workload([{ time: 100, duration: 1, kind: 'lock', thing: 'l' }], 1, { pools: [] }), policy)
  const { waitMax } = tierOf(result, 'background')
  assert.ok(waitMax >= 200 && waitMax <= 201, String(waitMax))
  assert.is(result.written, 1)
  assert.is(result.hits, 0)
})

test('a policy may plan at an arrival alone, and still a period passes before it takes force', async () => {
  const policy: Policy = {
    name: 'at once',
    maxReserve: 1,
    onArrival(arrival, view) {
      if (arrival.time === 0) view.write({ kind: 'keep', pool: 'p', tier: 'interactive', amount: 0.5, until: 100 })
    }
  }
  const asks: Said[] = [0, 99, 150].map(time => ({ time, duration: time === 0 ? 1000 : 1 }))
  const result = await play(workload(asks, 2), policy)
  // In force from 100 to 200: who came at 99 did not wait, who came at 150 waited for its end.
  assert.is(tierOf(result, 'background').waitMax, 50)
  assert.is(tierOf(result, 'background').waitMean, 50 / 3)
})

test('plans for which the core has no place are counted, and the replay goes on', async () => {
  const policy: Policy = {
    name: 'eager',
    lag: 0,
    onPeriod(view) {
      for (let source = 0; source < 64; source++) view.write({ kind: 'hold', lock: 'l', tier: 'interactive', until: 10, source })
    }
  }
  const result = await play(workload([{ time: 50, duration: 1, kind: 'lock', thing: 'l' }], 1, { pools: [] }), policy)
  assert.is(result.written + result.refused, 64)
  assert.ok(result.refused > 0)
  assert.is(result.makespan, 51)
})

/** Numbers that look random, and are the same each time (Park and Miller, "Random Number Generators", CACM 1988). */
function randoms(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

function mixed(count: number, kind: 'pool' | 'bucket' | 'lock', seed: number): Said[] {
  const random = randoms(seed)
  let time = 0
  return Array.from({ length: count }, () => {
    time += random(6)
    return {
      time,
      kind,
      duration: 1 + random(25),
      tier: random(3) === 0 ? 'interactive' : 'background',
      thing: kind === 'pool' ? 'p' : kind === 'bucket' ? 'b' : `lock ${random(3)}`,
      amount: 1 + random(3),
      shared: kind === 'lock' && random(2) === 0
    }
  })
}

for (const kind of ['pool', 'bucket', 'lock'] as const) {
  test(`of a ${kind} each request waits in it as it does for users of the faces`, async () => {
    const said = mixed(400, kind, 20)
    const [slots, rate] = [9, 200]
    const seen: Known[] = []
    const policy: Policy = {
      name: 'reactive',
      onEnd: ({ thing, time, duration, waited }) => seen.push({ thing, time, duration, waited: Math.round(waited * 1e4) / 1e4 })
    }
    const work = workload(said, slots, kind === 'bucket' ? { buckets: [{ name: 'b', rate }] } : {})
    await play(work, policy)
    const inOrder = (all: readonly Known[]) => all.map(one => JSON.stringify(one)).sort()
    const expected = await playByFaces(said, slots, rate)
    assert.equal(inOrder(seen), inOrder(expected))
    const waited = expected.filter(one => one.waited > 0).length
    assert.ok(waited > 50 && waited < 400, String(waited))
  })
}

test('one that gives back what many wait for lets all of them go at that moment, however many', async () => {
  const asks: Said[] = [{ time: 0, duration: 100, amount: 300 }, ...Array.from({ length: 300 }, () => ({ time: 10, duration: 5 }))]
  const result = await play(workload(asks, 300))
  assert.equal([result.makespan, tierOf(result, 'background').waitMax], [105, 90])
  assert.ok(Math.abs(tierOf(result, 'background').waitMean - (90 * 300) / 301) < 1e-9)
})

test('it is the same each time', async () => {
  const asks: Said[] = Array.from({ length: 300 }, (_, i) => ({
    time: Math.floor(i / 3) * 7,
    duration: 5 + ((i * 7919) % 40),
    tier: i % 4 === 0 ? 'interactive' : 'background',
    amount: 1 + (i % 3)
  }))
  const twice = await Promise.all([play(workload(asks, 4)), play(workload(asks, 4))])
  const [one, other] = twice.map(result => ({ ...result, took: 0 }))
  assert.equal(one, other)
  assert.ok(tierOf(one as never, 'background').waitMean > 0)
})

test('it reads no further than it has to: what is not yet due may not even be there', async () => {
  let read = 0
  const one = workload([{ time: 0, duration: 1 }])
  const work = {
    ...one,
    async *batches() {
      for (let i = 0; i < 50; i++) {
        read = i
        for await (const [request] of one.batches()) yield [{ ...(request as NonNullable<typeof request>), time: i * 1000 }]
      }
    }
  }
  const seen: number[] = []
  await play(work, { name: 'watches', onArrival: (_, { now }) => seen.push(read - now / 1000) })
  assert.is(seen.length, 50)
  assert.ok(
    seen.every(ahead => ahead <= 1),
    seen.join()
  )
})

test('a trace out of order is refused', async () => {
  const work = workload([
    { time: 10, duration: 1 },
    { time: 5, duration: 1 }
  ])
  isCoded(await rejection(play(work)), 'ERR_FORELOCK_ARGUMENT')
})

test('a tier, a pool and a plan that there are not are refused', async () => {
  isCoded(await rejection(play(workload([{ time: 0, duration: 1, tier: 'golden' }]))), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(play(workload([{ time: 0, duration: 1, thing: 'q' }]))), 'ERR_FORELOCK_ARGUMENT')
  const policy: Policy = {
    name: 'wrong',
    lag: 0,
    onPeriod: view => view.write({ kind: 'keep', pool: 'q', tier: 'interactive', amount: 1, until: 1 })
  }
  isCoded(await rejection(play(workload([{ time: 0, duration: 1 }]), policy)), 'ERR_FORELOCK_NOT_FOUND')
})

test.run()
