import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type BucketTerms, BucketWorld, type TokenKeep, type TokenRequest } from '../../../lib/plan/bucket-world.js'
import { randomsOf } from '../../../lib/randoms.js'
import type { Policy } from '../../../lib/replay/policy.js'
import { AGEING_MS, DEFAULT_TIERS } from '../../../lib/replay/settings.js'
import { play, type Said, tierOf, workload } from '../replay/support.js'

const [LOW, MIDDLE, HIGH] = [0, 1, 2]
const NEVER = 1e9
const RATE = 20
const PERIOD_MS = 100
const REQUESTS = 600
const SEEDS = 4

const terms: BucketTerms = { rate: 10, burst: 10, reserve: 0, ageing: 0 }
const near = (given: readonly number[], wanted: readonly number[]) => {
  for (const [tier, ms] of wanted.entries())
    assert.ok(Math.abs((given[tier] as number) - ms) < 1e-6 * Math.max(1, ms), `${given}, not ${wanted}`)
}

/** What all wait, by tier. @param said time, tier and tokens of each */
function waits(
  said: readonly (readonly [number, number, number])[],
  keeps: readonly TokenKeep[] = [],
  more: Partial<BucketTerms> = {}
): readonly number[] {
  const world = new BucketWorld({ ...terms, ...more }, DEFAULT_TIERS.length)
  const events = [
    ...keeps.map(keep => ({ time: keep.time, to: () => world.keep(keep) })),
    ...said.map(([time, tier, tokens]) => ({ time, to: () => world.request({ time, tier, tokens, isReserved: tier === HIGH }) }))
  ].sort((a, b) => a.time - b.time)
  world.advance(0)
  for (const { to } of events) to()
  world.advance(NEVER)
  return world.waited
}

test('who finds no token waits until it has come, and the higher tier goes first', () => {
  near(
    waits([
      [0, LOW, 10],
      [0, LOW, 1],
      [50, HIGH, 2]
    ]),
    [300, 0, 150, 0]
  )
})

test('who is first lets nobody pass who wants less', () => {
  near(
    waits([
      [0, LOW, 10],
      [0, LOW, 5],
      [10, LOW, 1]
    ]),
    [500 + 590, 0, 0, 0]
  )
})

test('lower tiers leave what is kept, and the upper one finds it', () => {
  const keep = { time: 0, tier: HIGH, tokens: 2, until: 10_000 }
  near(
    waits(
      [
        [0, LOW, 8],
        [0, LOW, 1],
        [50, HIGH, 2],
        [50, MIDDLE, 1]
      ],
      [keep]
    ),
    // The upper one leaves half a token; the middle one goes first, at three, and the lowest when there are three again.
    [400, 250, 0, 0]
  )
})

test('what is kept lets everybody through whom a full bucket would, and of two keeps the larger one counts', () => {
  near(waits([[0, LOW, 9]], [{ time: 0, tier: HIGH, tokens: 5, until: NEVER }]), [0, 0, 0, 0])
  const keeps = [HIGH, MIDDLE].map(tier => ({ time: 0, tier, tokens: 2, until: NEVER }))
  near(waits([[0, LOW, 8]], keeps), [0, 0, 0, 0])
  near(waits([[0, LOW, 8.5]], keeps), [0, 0, 0, 0])
  near(
    waits(
      [
        [0, HIGH, 5],
        [0, LOW, 4]
      ],
      keeps
    ),
    [100, 0, 0, 0]
  )
})

test('whoever waits for what is kept goes when that is over, is taken back, or does not concern it any more', () => {
  const said = [
    [0, HIGH, 8],
    [0, LOW, 2]
  ] as const
  const keep = { time: 0, tier: HIGH, tokens: 5, until: 150 }
  near(waits(said, [keep]), [150, 0, 0, 0])
  near(waits(said, [{ ...keep, until: NEVER }]), [500, 0, 0, 0])
  near(
    waits(said, [
      { ...keep, until: NEVER },
      { ...keep, time: 70, tokens: 0 }
    ]),
    [70, 0, 0, 0]
  )
  near(waits(said, [{ ...keep, until: NEVER }], { ageing: 40 }), [80, 0, 0, 0])
})

test('what a full bucket discards is in the reserve of those whom it is for', () => {
  near(
    waits(
      [
        [1000, HIGH, 10],
        [1000, HIGH, 4],
        [1000, LOW, 1]
      ],
      [],
      { reserve: 3 }
    ),
    [200, 0, 100, 0]
  )
})

test('one that asks for more than a full bucket has is left out, and a bucket that never fills grants what it has', () => {
  near(waits([[0, LOW, 11]]), [0, 0, 0, 0])
  const world = new BucketWorld({ ...terms, rate: 0 }, DEFAULT_TIERS.length)
  for (let i = 0; i < 11; i++) world.request({ time: i, tier: LOW, tokens: 1, isReserved: false })
  world.advance(1000)
  near(world.waited, [990, 0, 0, 0])
})

/** Plans as they are in the world, written at their times. */
function keeping(keeps: readonly TokenKeep[]): Policy {
  let at = 0
  return {
    name: 'keeps',
    lag: 0,
    maxReserve: 1,
    onPeriod(view) {
      for (; at < keeps.length && (keeps[at] as TokenKeep).time <= view.now; at++) {
        const { time, tier, tokens, until } = keeps[at] as TokenKeep
        view.write({ kind: 'keep', bucket: 'b', tier: DEFAULT_TIERS[tier] as string, amount: tokens / RATE, until: until - time })
      }
    }
  }
}

async function compare(requests: readonly TokenRequest[], keeps: readonly TokenKeep[], ageing: number, what: string): Promise<number> {
  const world = new BucketWorld({ rate: RATE, burst: RATE, reserve: 0, ageing }, DEFAULT_TIERS.length)
  const changes = [...keeps]
  world.advance(0)
  for (const request of requests) {
    while (changes[0] !== undefined && changes[0].time <= request.time) world.keep(changes.shift() as TokenKeep)
    world.request(request)
  }
  for (const change of changes) world.keep(change)
  world.advance(NEVER)
  const said = requests.map(
    ({ time, tier, tokens }): Said => ({
      time,
      duration: 0,
      tier: DEFAULT_TIERS[tier] as string,
      kind: 'bucket',
      thing: 'b',
      amount: tokens
    })
  )
  const result = await play(
    workload(said, 1, { tiers: DEFAULT_TIERS, pools: [], buckets: [{ name: 'b', rate: RATE }] }),
    keeping(keeps),
    PERIOD_MS
  )
  for (const [tier, name] of DEFAULT_TIERS.entries()) {
    const count = requests.filter(request => request.tier === tier).length
    const [own, real] = [(world.waited[tier] as number) / count, tierOf(result, name).waitMean]
    assert.ok(Math.abs(own - real) < 1e-3 * Math.max(1, real), `${what}, ${name}: ${own} ms, and ${real} ms of the core`)
  }
  return world.waited.reduce((all, ms) => all + ms, 0)
}

for (const [title, keepEvery, ageing, gap] of [
  ['the core makes the same requests wait for as long', 0, 0, 80],
  ['so it does with what plans keep', PERIOD_MS, 0, 80],
  ['so it does with ageing', 0, AGEING_MS, 65],
  ['so it does with both', 20 * PERIOD_MS, AGEING_MS, 65]
] as const) {
  test(title, async () => {
    let waited = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = randomsOf(seed)
      let time = 0
      const requests = Array.from({ length: REQUESTS }, (): TokenRequest => {
        time += 0.001 - Math.log(1 - random()) * gap
        const tokens = random() < 0.1 ? 1 + Math.floor(random() * 8) : 1
        return { time, tier: Math.floor(random() * DEFAULT_TIERS.length), tokens, isReserved: false }
      })
      const keeps: TokenKeep[] = []
      for (let at = 0; keepEvery > 0 && at < time; at += keepEvery) {
        if (random() > 0.3) continue
        const until = at + keepEvery * (0.5 + Math.floor(random() * 4))
        keeps.push({ time: at, tier: 1 + Math.floor(random() * 3), tokens: random() * 8, until })
      }
      waited += await compare(requests, keeps, ageing, `seed ${seed}`)
    }
    assert.ok(waited > 0)
  })
}

test.run()
