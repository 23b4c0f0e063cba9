import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketPlanner, type BucketPlannerOptions } from '../../../lib/plan/bucket-planner.js'
import { type Asker, ReserveHabits } from '../../../lib/plan/reserve-habits.js'
import type { ReservePlan } from '../../../lib/plans.js'
import { randomsOf } from '../../../lib/randoms.js'

const [LOW, HIGH] = [0, 2]
const PERIOD_MS = 100
const tenant = (name: string): Asker => ({ workflow: 'w', tenant: name })
const workflow = (name: string): Asker => ({ workflow: name, tenant: undefined })

const plannerOf = (more: Partial<BucketPlannerOptions> = {}, habits = new ReserveHabits(PERIOD_MS)) =>
  new BucketPlanner({ bucket: 'b', rate: 100, waitCosts: [1, 2, 8, 32], maxReserve: 0.25, period: PERIOD_MS, ...more }, habits)

/** Its plans from one time to another. @param ask before each period */
function run(planner: BucketPlanner, from: number, until: number, ask: (now: number) => void = () => {}): ReservePlan[] {
  const plans: ReservePlan[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    ask(now)
    plans.push(...planner.plan(now))
  }
  return plans
}

/** Twenty tokens at once, every five seconds. */
const bursts = (planner: BucketPlanner, asker: Asker, tier: number) => (now: number) => {
  if (now % 5000 === 0) for (let i = 0; i < 20; i++) planner.came(asker, tier, 1, 0)
}

test('nothing is kept for nobody, and for nobody who cannot be named', () => {
  const planner = plannerOf()
  assert.equal(run(planner, 0, 20_000), [])
  assert.equal(run(planner, 20_000, 60_000, bursts(planner, { workflow: undefined, tenant: undefined }, HIGH)), [])
})

test('from the first request on as much is kept as plans may, for its tenant, or for its workflow where there is none', () => {
  for (const [asker, who] of [
    [tenant('acme'), { tenant: 'acme' }],
    [workflow('nightly'), { workflow: 'nightly' }]
  ] as const) {
    const planner = plannerOf()
    planner.came(asker, HIGH, 1, 0)
    const [{ until, ...rest }, ...more] = planner.plan(0) as [ReservePlan]
    assert.equal([rest, ...more], [{ kind: 'reserve', bucket: 'b', amount: 250, ...who }])
    assert.ok(until > 10_000)
  }
})

test('a workflow with a cost of its own counts by that, and not by its tier', () => {
  for (const [cost, who] of [
    [16, 'close'],
    [0.5, 'nightly']
  ] as const) {
    const planner = plannerOf({ workflowCosts: new Map([['close', cost]]) })
    const [close, nightly] = [bursts(planner, workflow('close'), LOW), bursts(planner, workflow('nightly'), LOW)]
    const last = run(planner, 0, 120_000, now => {
      close(now)
      nightly(now)
    }).at(-1)
    assert.is(last?.workflow, who)
  }
})

test('no more is kept than plans may: the part of the tokens of ten seconds', () => {
  const planner = plannerOf({ maxReserve: 0.1 })
  const plans = run(planner, 0, 60_000, () => planner.came(tenant('acme'), HIGH, 50, 0))
  assert.equal(
    plans.map(({ amount }) => amount),
    [100]
  )
  for (const more of [{ maxReserve: 0 }, { rate: 0 }]) {
    const none = plannerOf(more)
    assert.equal(
      run(none, 0, 60_000, () => none.came(tenant('acme'), HIGH, 0, 0)),
      []
    )
    assert.equal(
      run(none, 60_000, 120_000, () => none.came(tenant('acme'), HIGH, 50, 0)),
      []
    )
  }
})

test('the one reserve is for whom waiting is dearest, by tokens and by tiers', () => {
  const planner = plannerOf()
  const both = (now: number) => {
    bursts(planner, tenant('many'), LOW)(now)
    bursts(planner, tenant('dear'), HIGH)(now)
    bursts(planner, tenant('many'), LOW)(now)
  }
  const plans = run(planner, 0, 60_000, both)
  assert.is(plans.at(-1)?.tenant, 'dear')
  const more = plannerOf()
  const cheap = (now: number) => {
    if (now % 5000 === 0) more.came(tenant('dear'), HIGH, 1, 0)
    bursts(more, tenant('many'), LOW)(now)
  }
  assert.is(run(more, 0, 60_000, cheap).at(-1)?.tenant, 'many')
})

test('who asks for more than a reserve can hold does not count for more than it holds', () => {
  const planner = plannerOf()
  const ask = (now: number) => {
    planner.came(tenant('many'), LOW, 100, 0)
    for (let i = 0; i < 2; i++) bursts(planner, tenant('dear'), HIGH)(now)
  }
  // In 10 s 10,000 tokens, each of which is worth 1, but only 250 could be kept; and 80 that are worth 8.
  assert.is(run(planner, 0, 60_000, ask).at(-1)?.tenant, 'dear')
})

test('when it is to be for another one the plan for the one before ends', () => {
  const planner = plannerOf()
  planner.came(tenant('low'), LOW, 10, 0)
  assert.is(planner.plan(0)[0]?.tenant, 'low')
  planner.came(tenant('high'), HIGH, 10, 0)
  const plans = planner.plan(PERIOD_MS)
  assert.equal(
    plans.map(({ tenant, until }) => [tenant, until > PERIOD_MS]),
    [
      ['high', true],
      ['low', false]
    ]
  )
  assert.equal(planner.plan(2 * PERIOD_MS), [])
})

test('of a bucket of which little is known the reserve is for whom it is usually worth most, and of others by what is known', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  const known = plannerOf({}, habits)
  const fresh = plannerOf({ bucket: 'fresh' }, habits)
  const plans = run(known, 0, 10_000, now => {
    habits.tick()
    bursts(known, tenant('dear'), HIGH)(now)
    bursts(known, tenant('many'), LOW)(now)
  })
  assert.is(plans.at(-1)?.tenant, 'dear')
  fresh.came(tenant('many'), LOW, 20, 0)
  assert.is(fresh.plan(10_000)[0]?.tenant, 'dear')
  const later = run(fresh, 10_100, 600_000, now => {
    habits.tick()
    bursts(fresh, tenant('many'), LOW)(now)
  })
  assert.is(later.at(0)?.tenant, 'many')
})

test('a reserve that stays as it is is renewed before it ends, and not written all the time', () => {
  const planner = plannerOf()
  const ask = bursts(planner, tenant('acme'), HIGH)
  run(planner, 0, 300_000, ask)
  let ends = Number.NEGATIVE_INFINITY
  let written = 0
  for (let now = 300_000; now < 4_300_000; now += PERIOD_MS) {
    for (const { until } of run(planner, now, now + PERIOD_MS, ask)) {
      written++
      if (ends > 0) assert.ok(now < ends, `nothing from ${ends} to ${now}`)
      ends = now + until
    }
  }
  assert.ok(written >= 5 && written <= 100, String(written))
})

test('two who are alike do not take it from each other all the time', () => {
  const planner = plannerOf()
  const random = randomsOf(1)
  const plans = run(planner, 0, 300_000, () => {
    for (const name of ['a', 'b']) if (random() < 0.1) planner.came(tenant(name), HIGH, 5, 0)
  })
  let changes = 0
  for (let i = 1; i < plans.length; i++) if (plans[i]?.tenant !== plans[i - 1]?.tenant) changes++
  assert.ok(changes <= 5, String(changes))
})

test('among thousands who ask once the one who asks always is found', () => {
  const planner = plannerOf()
  let asked = 0
  const plans = run(planner, 0, 60_000, now => {
    bursts(planner, tenant('acme'), HIGH)(now)
    for (let i = 0; i < 20; i++) planner.came(tenant(`visitor ${asked++}`), LOW, 1, 0)
  })
  assert.is(plans.at(-1)?.tenant, 'acme')
})

test('times that jump, thousands at one time and any number of tokens give plans that can be written', () => {
  const amounts = [0, 1, 3, 1e-9, Number.MAX_SAFE_INTEGER]
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const planner = plannerOf({ rate: [0, 1e-3, 1, 1e9][seed % 4] as number })
    let now = 0
    for (let step = 0; step < 200; step++) {
      now += (random() - 0.3) * 10 ** (random() * 9)
      const count = step === 50 ? 3000 : 3
      for (let i = 0; i < count; i++) planner.came(tenant(`t${i % 20}`), i % 4, amounts[Math.floor(random() * amounts.length)] as number, 0)
      for (const { amount, until } of planner.plan(now)) assert.ok(amount > 0 && Number.isFinite(amount) && until > 0)
    }
  }
})

test('for a tenant that is to be forgotten nothing is kept, and for others what was', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  const planner = plannerOf({}, habits)
  const ask = (now: number) => {
    bursts(planner, tenant('acme'), HIGH)(now)
    bursts(planner, tenant('globex'), LOW)(now)
  }
  assert.is(run(planner, 0, 60_000, ask)[0]?.tenant, 'acme')
  habits.forget('acme')
  planner.forget('acme')
  const plans = run(planner, 60_000, 300_000)
  assert.ok(plans.some(plan => plan.tenant === 'globex'))
  const ended = plans.filter(plan => plan.tenant === 'acme')
  assert.ok(
    ended.every(({ until }) => until <= 1),
    'what was kept goes at once'
  )
})

test('a burst that comes at such times is told of once, with who uses the bucket, and again when it was unlikely meanwhile', () => {
  const planner = plannerOf({ rate: 10, burst: 10 })
  const told: { now: number; probability: number; users: readonly string[]; gap: number }[] = []
  for (let now = 0; now < 400_000; now += PERIOD_MS) {
    // Five seconds of rest, and then forty tokens in two seconds.
    if (now % 7000 >= 5000) for (let i = 0; i < 2; i++) planner.came(workflow('page'), HIGH, 1, now)
    if (now % 1000 === 0) planner.came(workflow('import'), LOW, 1, now)
    planner.plan(now)
    for (const { probability, users, gap } of planner.collisions(now, { free: now % 7000 < 5000 ? 10 : 0, reserved: 0 })) {
      told.push({ now, probability, users: Object.keys(users).sort(), gap })
    }
  }
  const late = told.filter(({ now }) => now > 200_000)
  const bursts = new Set(late.map(({ now }) => Math.floor((now + 1000) / 7000)))
  assert.ok(late.length >= 20 && late.length <= 1.2 * bursts.size, `${late.length} times for ${bursts.size} bursts`)
  for (const { probability, users, gap } of late) {
    assert.ok(probability >= 0.5 && gap > 0)
    assert.equal(users, ['import', 'page'])
  }
})

test('where there are enough tokens for whatever came so far, nothing is foretold to be late', () => {
  const planner = plannerOf({ rate: 10, burst: 100 })
  for (let now = 0; now < 100_000; now += PERIOD_MS) {
    if (now % 2000 === 0) for (let i = 0; i < 25; i++) planner.came(workflow('page'), HIGH, 1, now)
    planner.plan(now)
    assert.equal(planner.collisions(now, { free: 80, reserved: 0 }), [])
    assert.equal(planner.collisions(now, { free: 10, reserved: 25 }), [], 'the reserve is for them')
    assert.equal(planner.collisions(now, undefined), [])
  }
})

test.run()
