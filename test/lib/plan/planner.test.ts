import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Expected, Verdict } from '../../../lib/plan/checks.js'
import type { KeyScores } from '../../../lib/plan/lock-planner.js'
import { type Arena, type Asked, Planner, type PlannerOptions, SOURCES } from '../../../lib/plan/planner.js'
import type { Plan } from '../../../lib/plans.js'
import { randomsOf } from '../../../lib/randoms.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH] = [0, 2]
const PERIOD_MS = 100

const alwaysLikely: KeyScores = { likely: (_now, tier) => (tier <= HIGH ? [{ name: 'l', score: 0.9 }] : []) }

const plannerOf = (more: Partial<PlannerOptions> = {}) =>
  new Planner({
    tiers: TIERS,
    waitCosts: [1, 2, 8, 32],
    idleCost: 1,
    maxReserve: 0.25,
    ageing: 30_000,
    period: PERIOD_MS,
    lag: 1,
    control: 0,
    seed: 1,
    within: 500,
    scores: undefined,
    ...more
  })

/** An arena that only remembers what is written. */
class Paper implements Arena {
  now = 0
  lostMs = 0
  readonly plans: Plan[] = []
  used = () => 2
  usedBy = (_pool: string, _tier: string) => 0
  verdict: Verdict = 'ok'
  readonly asked: Expected[] = []
  check = (expected: Expected) => {
    this.asked.push(expected)
    return this.verdict
  }
  waiting = (_thing: string, _tier: string) => 0
  lost = (_source: number) => this.lostMs
  write = (plan: Plan) => this.plans.push(plan)
}

const asked = (kind: Asked['kind'], thing: string, time: number, tier: number): Asked => ({
  kind,
  thing,
  tier,
  amount: 1,
  time,
  workflow: 'w',
  tenant: 'acme'
})

/** A burst of the higher tier every second, and a reader of a lock in the way of each writer. */
function play(planner: Planner, arena: Paper, until: number): void {
  for (; arena.now < until; arena.now += PERIOD_MS) {
    const time = arena.now
    if (time % 1000 === 0) {
      for (let i = 0; i < 5; i++) {
        for (const kind of ['pool', 'bucket'] as const) planner.came(asked(kind, kind, time, HIGH))
        planner.ended({ kind: 'pool', thing: 'pool', tier: HIGH, time, waited: 0, held: 50 })
      }
      planner.came(asked('lock', 'l', time, LOW))
      planner.came(asked('lock', 'l', time + 10, HIGH))
      planner.ended({ kind: 'lock', thing: 'l', tier: LOW, time, waited: 0, held: 90 })
      planner.ended({ kind: 'lock', thing: 'l', tier: HIGH, time: time + 10, waited: 80, held: 1 })
    }
    planner.plan(arena)
  }
}

test('each kind of thing has plans of its own kind, by its own source', () => {
  const planner = plannerOf({ scores: alwaysLikely })
  planner.pool('pool', 20, 1)
  planner.bucket('bucket', 10)
  const arena = new Paper()
  play(planner, arena, 60_000)
  const kinds = new Map(arena.plans.map(plan => [plan.kind, plan]))
  assert.equal([...kinds.keys()].sort(), ['hold', 'keep', 'reserve'])
  for (const { kind, source } of arena.plans) assert.is(source, SOURCES[kind as keyof typeof SOURCES])
  assert.is((kinds.get('keep') as { pool: unknown }).pool, 'pool')
  assert.is((kinds.get('reserve') as { tenant?: string }).tenant, 'acme')
  assert.is((kinds.get('hold') as { lock: unknown }).lock, 'l')
})

/** The lower tier takes all that there is, and the higher one asks for five at once every second. */
function spend(planner: Planner, arena: Paper, until: number, high: (request: Asked) => Asked = request => request): void {
  for (; arena.now < until; arena.now += PERIOD_MS) {
    const time = arena.now
    for (let i = 0; i < 2; i++) planner.came({ ...asked('bucket', 'bucket', time, LOW), tenant: 'batch' })
    if (time % 1000 === 0) for (let i = 0; i < 5; i++) planner.came(high(asked('bucket', 'bucket', time, HIGH)))
    planner.ended({ kind: 'bucket', thing: 'bucket', tier: LOW, time, waited: 100, held: 0 })
    planner.plan(arena)
  }
}

const keepsOf = (arena: Paper) => arena.plans.filter(({ kind }) => kind === 'keep')

test('tokens of a bucket that lower tiers empty are kept for an upper one, behind a guard of its own', () => {
  const planner = plannerOf()
  planner.bucket('bucket', 10, 10)
  const arena = new Paper()
  spend(planner, arena, 60_000)
  const keep = keepsOf(arena).at(-1)
  assert.equal(keep, { kind: 'keep', bucket: 'bucket', tier: 'interactive', amount: 0.25, until: 10_000, source: SOURCES.bucketKeep })
  const status = planner.status().buckets.get('bucket')
  assert.ok(status?.on && status.benefit.mean > 0, JSON.stringify(status))
  assert.equal(status?.planned[LOW], { tier: 'background', requests: 600, wait: 100 })
})

test('nothing is kept of a bucket of one token, where plans may keep nothing, nor for requests that are refused at once', () => {
  for (const [burst, maxReserve, isRefused] of [
    [1, 0.25, false],
    [10, 0, false],
    [10, 0.25, true]
  ] as const) {
    const planner = plannerOf({ maxReserve })
    planner.bucket('bucket', 10, burst)
    const arena = new Paper()
    spend(planner, arena, 60_000, request => ({ ...request, isRefused }))
    assert.equal(keepsOf(arena), [])
    assert.is(planner.status().buckets.size, burst > 1 && maxReserve > 0 ? 1 : 0)
  }
})

test('in the control part of the time nothing is kept of a bucket, and what is in force is taken back', () => {
  const planner = plannerOf({ control: 0.3 })
  planner.bucket('bucket', 10, 10)
  const arena = new Paper()
  spend(planner, arena, 600_000)
  const amounts = keepsOf(arena).map(plan => (plan as { amount: number }).amount)
  assert.ok(amounts.filter(amount => amount === 0).length > 5)
  assert.ok((planner.status().buckets.get('bucket')?.control[LOW]?.requests ?? 0) > 500)
})

test('of a thing that it was not told of nothing is planned, and without scores no lock is held', () => {
  const planner = plannerOf()
  const arena = new Paper()
  play(planner, arena, 20_000)
  assert.equal(arena.plans, [])
  assert.equal([planner.knows('pool', 'pool'), planner.knows('bucket', 'bucket')], [false, false])
  planner.pool('pool', 20, 1)
  assert.equal([planner.knows('pool', 'pool'), planner.knows('bucket', 'pool')], [true, false])
})

test('holds stop when the core says that they cost more than they may, and status says so', () => {
  const planner = plannerOf({ scores: alwaysLikely })
  const arena = new Paper()
  play(planner, arena, 20_000)
  assert.ok(planner.status().locks.on)
  assert.ok(planner.status().locks.written > 0)
  arena.lostMs = 1e6
  play(planner, arena, 21_100)
  const before = arena.plans.length
  play(planner, arena, 30_000)
  assert.is(arena.plans.length, before)
  assert.not(planner.status().locks.on)
})

test('a plan is checked before it begins, and one that is not needed, or cannot help, is not written', () => {
  const written = (verdict: Verdict) => {
    const planner = plannerOf({ scores: alwaysLikely })
    planner.pool('pool', 20, 1)
    const arena = new Paper()
    arena.verdict = verdict
    play(planner, arena, 60_000)
    return { arena, checks: planner.status().checks, locks: planner.status().locks }
  }
  const { arena, checks } = written('ok')
  assert.equal([...new Set(arena.asked.map(({ kind, thing, tier }) => `${kind} ${thing} ${tier}`))].sort(), [
    'lock l interactive',
    'pool pool interactive'
  ])
  assert.is(checks.checked, arena.asked.length)
  const begun = arena.plans.filter(({ kind }) => kind === 'keep').length
  assert.ok(arena.asked.filter(({ kind }) => kind === 'pool').length < begun, 'one that goes on is not asked about')
  const none = written('unneeded')
  assert.equal(none.arena.plans, [])
  assert.is(none.locks.written, 0)
  assert.ok(none.checks.unneeded > 0 && none.checks.unneeded === none.checks.checked)
  assert.is(written('hopeless').checks.unneeded, 0)
})

test('the share of a tier and the tier of a workflow are planned where there is a share, and where a workflow has a cost of its own', () => {
  const written = (parts: boolean, workflowCosts?: ReadonlyMap<string, number>) => {
    const planner = plannerOf({ ...(workflowCosts !== undefined && { workflowCosts }) })
    const part = (share: number) => ({ floor: 0, share, ceiling: 20 })
    planner.pool('pool', 20, 1, parts ? [part(12), part(0), part(2), part(0)] : undefined)
    const arena = new Paper()
    arena.used = () => 20
    arena.usedBy = (_pool, tier) => (tier === 'interactive' ? 6 : 0)
    arena.waiting = (_thing, tier) => (tier === 'interactive' ? 3 : 0)
    for (; arena.now < 30_000; arena.now += PERIOD_MS) {
      planner.came({ ...asked('pool', 'pool', arena.now, HIGH), workflow: 'page' })
      planner.came({ ...asked('pool', 'pool', arena.now, LOW), workflow: 'close' })
      planner.ended({ kind: 'pool', thing: 'pool', tier: HIGH, time: arena.now, waited: 0, held: 50, workflow: 'page' })
      planner.ended({ kind: 'pool', thing: 'pool', tier: LOW, time: arena.now, waited: 0, held: 50, workflow: 'close' })
      planner.plan(arena)
    }
    const of = (kind: Plan['kind']) => arena.plans.filter(plan => plan.kind === kind)
    return { shares: of('share'), escalations: of('escalation'), status: planner.status() }
  }
  const none = written(false)
  assert.equal([none.shares, none.escalations, none.status.shares.size, none.status.escalations], [[], [], 0, undefined])
  const both = written(true, new Map([['close', 16]]))
  const [share] = both.shares as [Plan & { tier: string; amount: number }]
  assert.equal([share.tier, share.source], ['interactive', SOURCES.share])
  assert.ok(share.amount > 0.1 && share.amount <= 0.35, String(share.amount))
  assert.ok(both.status.shares.get('pool')?.on)
  const [raised] = both.escalations as [Plan & { workflow: string; tier: string }]
  assert.equal([raised.workflow, raised.tier, raised.source], ['close', 'interactive', SOURCES.escalation])
  assert.is(both.status.escalations?.planned[0]?.requests, 300)
})

test('no plan begins unchecked, and none is checked that a guard keeps back', () => {
  const planner = plannerOf({ scores: alwaysLikely, control: 0.5 })
  planner.pool('pool', 20, 1)
  const arena = new Paper()
  const events: string[] = []
  arena.check = expected => {
    events.push(`asked ${expected.kind}`)
    return 'ok' as const
  }
  const inForce = new Map<string, number>()
  arena.write = plan => {
    if (plan.kind === 'keep' && plan.amount === 0) inForce.delete(plan.kind)
    else {
      const begins = (inForce.get(plan.kind) ?? 0) <= arena.now
      if (begins) assert.is(events.pop(), `asked ${plan.kind === 'hold' ? 'lock' : 'pool'}`, `${plan.kind} at ${arena.now}`)
      inForce.set(plan.kind, arena.now + plan.until)
    }
    return arena.plans.push(plan)
  }
  play(planner, arena, 300_000)
  assert.equal(events, [], 'each that was asked about was written')
  assert.ok(arena.plans.length > 100)
})

test('a hold that is refused is as if it had never been wanted', () => {
  const planner = plannerOf({ scores: alwaysLikely })
  const arena = new Paper()
  arena.verdict = 'unneeded'
  play(planner, arena, 20_000)
  const { written, used, reclaimed, balance } = planner.status().locks
  assert.equal([written, used, reclaimed], [0, 0, 0])
  assert.ok(planner.status().checks.unneeded > 10, 'it is asked about again')
  arena.verdict = 'ok'
  play(planner, arena, 21_000)
  assert.ok(planner.status().locks.written > 0 && balance >= 1)
})

test('a hold whose request has come is over: the next one is checked, too', () => {
  const planner = plannerOf({ scores: alwaysLikely })
  const arena = new Paper()
  play(planner, arena, 60_000)
  const { written, used } = planner.status().locks
  assert.ok(used > 10, 'some end before their time')
  assert.is(arena.asked.filter(({ kind }) => kind === 'lock').length, written)
})

test('a share and an escalation that are refused leave nothing behind, and begin as soon as they may', () => {
  const part = (share: number) => ({ floor: 0, share, ceiling: 20 })
  const planner = plannerOf({ workflowCosts: new Map([['close', 16]]), maxReserve: 0.5 })
  planner.pool('pool', 20, 1, [part(12), part(0), part(2), part(0)])
  const arena = new Paper()
  arena.used = () => 20
  arena.usedBy = (_pool, tier) => (tier === 'interactive' ? 6 : 0)
  arena.waiting = (_thing, tier) => (tier === 'interactive' ? 3 : 0)
  const run = (until: number) => {
    for (; arena.now < until; arena.now += PERIOD_MS) {
      for (const [workflow, tier] of [
        ['page', HIGH],
        ['close', LOW]
      ] as const) {
        planner.came({ ...asked('pool', 'pool', arena.now, tier), workflow })
        planner.ended({ kind: 'pool', thing: 'pool', tier, time: arena.now, waited: 0, held: 50, workflow })
      }
      planner.plan(arena)
    }
  }
  const kinds = () => [...new Set(arena.plans.map(({ kind }) => kind))].sort()
  arena.verdict = 'unneeded'
  run(30_000)
  assert.equal(arena.plans, [])
  const { escalations, shares } = planner.status()
  assert.is(escalations?.begun, 0)
  assert.equal([escalations?.benefit.mean ?? 0, shares.get('pool')?.benefit.mean], [0, 0])
  arena.verdict = 'ok'
  // What was said holds for as long as the plan would have been in force.
  run(31_500)
  assert.equal(kinds(), ['escalation', 'keep', 'share'])
})

test('what was not written because it is not needed is not said to be kept', () => {
  const planner = plannerOf({ extra: { threshold: 0, share: 0.2 } })
  planner.pool('pool', 20, 1)
  const arena = new Paper()
  arena.used = () => 20
  const kept = (verdict: Verdict) => {
    arena.verdict = verdict
    play(planner, arena, arena.now + 5000)
    return planner.collisions(arena).map(({ kept }) => kept)
  }
  assert.equal(kept('unneeded'), [0])
})

test('status tells what has become of each pool', () => {
  const planner = plannerOf()
  planner.pool('pool', 20, 1)
  play(planner, new Paper(), 10_000)
  const status = planner.status().pools.get('pool')
  assert.ok(status?.on)
  assert.equal(status?.planned[HIGH], { tier: 'interactive', requests: 50, wait: 0 })
})

test('the same events and seed give the same plans', () => {
  const written = () => {
    const planner = plannerOf({ scores: alwaysLikely, control: 0.3 })
    planner.pool('pool', 20, 1)
    planner.bucket('bucket', 10)
    const arena = new Paper()
    play(planner, arena, 60_000)
    return arena.plans
  }
  assert.equal(written(), written())
})

test('where nobody is told of collisions none are foretold, and the plans are the same', () => {
  const told = (collisions: boolean) => {
    const planner = plannerOf({ scores: alwaysLikely, collisions })
    planner.pool('pool', 200, 1)
    planner.bucket('bucket', 10)
    const arena = new Paper()
    let count = 0
    for (let until = PERIOD_MS; until <= 60_000; until += PERIOD_MS) {
      play(planner, arena, until)
      count += planner.collisions(arena).length
    }
    return { count, plans: arena.plans }
  }
  const [all, none] = [told(true), told(false)]
  assert.ok(all.count > 0)
  assert.is(none.count, 0)
  assert.equal(none.plans, all.plans)
})

/** Numbers of a plan, and of what is said of plans. */
function* numbersIn(value: unknown): Generator<number> {
  if (typeof value === 'number') yield value
  else if (value instanceof Map) for (const one of value.values()) yield* numbersIn(one)
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) yield* numbersIn(one)
}

test('whatever comes, what is written and said are numbers', () => {
  const amounts = [0, 1, 3, 1e-9, Number.MAX_SAFE_INTEGER]
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const planner = plannerOf({ scores: alwaysLikely, control: 0.2 })
    planner.pool('pool', [0, 1, 1e6][seed % 3] as number, seed % 2)
    planner.bucket('bucket', [0, 1, 1e6][seed % 3] as number)
    const arena = new Paper()
    for (let step = 0; step < 200; step++) {
      arena.now += (random() - 0.2) * 10 ** (random() * 7)
      const count = step === 100 ? 2000 : 4
      for (let i = 0; i < count; i++) {
        const kind = (['pool', 'bucket', 'lock'] as const)[i % 3] as Asked['kind']
        const thing = kind === 'lock' ? 'l' : kind
        const one = { ...asked(kind, thing, arena.now, i % 4), amount: amounts[Math.floor(random() * amounts.length)] as number }
        planner.came(one)
        if (random() < 0.8)
          planner.ended({ kind, thing, tier: i % 4, time: arena.now, waited: random() * 10 ** (random() * 8), held: random() * 1e5 })
      }
      planner.plan(arena)
    }
    for (const number of numbersIn([arena.plans, planner.status()])) assert.not(Number.isNaN(number), `seed ${seed}`)
  }
})

test('what a workflow raises is planned for when it begins, unless that is not wanted; and things are warmed up where somebody can', () => {
  for (const triggers of [true, false]) {
    const planner = plannerOf({
      triggers,
      warm: { threshold: 0.5, most: 8, within: 500, cold: 1000, costs: undefined, likely: () => [{ kind: 'lock', name: 'l', score: 0.9 }] }
    })
    planner.pool('pool', 20, 1)
    const arena = new Paper()
    const warmed: string[] = []
    const warm = ({ kind, name }: { kind: string; name: string }) => warmed.push(`${kind} ${name}`)
    const random = randomsOf(3)
    let next = 0
    let raised = Number.POSITIVE_INFINITY
    for (; arena.now < 1_000_000; arena.now += PERIOD_MS) {
      if (arena.now >= next) {
        planner.came({ ...asked('pool', 'pool', arena.now, 1), workflow: 'A' })
        next = arena.now + 2000 + 6000 * random()
        raised = arena.now + 300
      }
      if (arena.now >= raised) {
        planner.worked('B', HIGH, arena.now)
        raised = Number.POSITIVE_INFINITY
      }
      planner.plan(Object.assign(arena, { warm }))
    }
    assert.ok(warmed.includes('lock l'))
    assert.is(warmed.includes('workflow B'), triggers)
    assert.is(planner.status().triggers?.known, triggers ? 1 : undefined)
    assert.ok((planner.status().warm?.written ?? 0) > 10)
  }
})

const NAMES = 10_000

/** Names that each come once, five hundred of them in half a second; and one that comes all the time. */
function manyNames(planner: Planner, arena: Paper): void {
  const parts = TIERS.map(() => ({ floor: 0, share: 4, ceiling: 20 }))
  for (let i = 0; i < NAMES; i++) {
    for (const name of [`${i}`, 'always']) {
      if (!planner.knows('pool', name)) planner.pool(name, 20, 1, name === 'always' ? undefined : parts)
      if (!planner.knows('bucket', name)) planner.bucket(name, 10)
      for (const kind of ['pool', 'bucket', 'lock'] as const) {
        planner.came({ ...asked(kind, name, arena.now, HIGH), workflow: `w${i}` })
        planner.ended({ kind, thing: name, tier: HIGH, time: arena.now, waited: 0, held: 1, workflow: `w${i}` })
      }
    }
    arena.now++
    if (i % 500 !== 0) continue
    planner.plan(arena)
    planner.collisions(arena)
  }
}

test('of names that come and go no more are known than are bounded, those that were asked for last', () => {
  const gone = { pool: new Set<string>(), bucket: new Set<string>() }
  const planner = plannerOf({
    scores: alwaysLikely,
    workflowCosts: new Map([['w1', 16]]),
    forgot: (kind, name) => void gone[kind].add(name)
  })
  const arena = new Paper()
  manyNames(planner, arena)
  const known = (kind: 'pool' | 'bucket') => Array.from({ length: NAMES }, (_, i) => `${i}`).filter(name => planner.knows(kind, name))
  assert.equal([known('pool').length, known('bucket').length], [255, 1023])
  assert.equal([known('pool')[0], known('bucket')[0]], [`${NAMES - 255}`, `${NAMES - 1023}`])
  assert.ok(planner.knows('pool', 'always') && planner.knows('bucket', 'always'))
  assert.equal([gone.pool.size, gone.bucket.size], [NAMES - 255, NAMES - 1023])
  const { pools, shares } = planner.status()
  assert.equal([pools.size, shares.size], [256, 255])
})

test('what nobody has asked for in an hour is forgotten', () => {
  const gone: string[] = []
  const planner = plannerOf({ forgot: (kind, name) => void gone.push(`${kind} ${name}`) })
  const arena = new Paper()
  for (const name of ['a', 'b']) {
    planner.pool(name, 20, 1)
    planner.bucket(name, 10)
  }
  planner.plan(arena)
  for (const kind of ['pool', 'bucket'] as const) for (const name of ['a', 'b']) planner.came(asked(kind, name, 0, HIGH))
  arena.now = 1_800_000
  for (const kind of ['pool', 'bucket'] as const) planner.came(asked(kind, 'a', arena.now, HIGH))
  arena.now = 3_500_000
  planner.plan(arena)
  assert.equal(gone, [])
  arena.now = 3_700_000
  planner.plan(arena)
  assert.equal(gone, ['pool b', 'bucket b'])
  assert.not(planner.knows('pool', 'b'))
  assert.ok(planner.knows('pool', 'a'))
  // It is met anew.
  planner.pool('b', 20, 1)
  planner.came(asked('pool', 'b', arena.now, HIGH))
  planner.plan(arena)
  assert.ok(planner.knows('pool', 'b'))
})

test('where nobody would say again what there is, as in a replay, nothing is forgotten', () => {
  const planner = plannerOf()
  for (let i = 0; i < 300; i++) planner.pool(`${i}`, 20, 1)
  const arena = new Paper()
  arena.now = 1e9
  planner.plan(arena)
  arena.now = 2e9
  planner.plan(arena)
  assert.is(planner.status().pools.size, 300)
})

interface Held {
  readonly amount: number
  readonly until: number
}

/** Pools that somebody else uses; what stands for what is used of one is another whenever that is. */
class Used {
  readonly held = new Map<string, readonly Held[]>()
  readonly waiting = new Map<string, number>()
  readonly states = new Map<string, object>()

  change(pool: string, held: readonly Held[], waiting: number): void {
    const before = this.held.get(pool) ?? []
    const isSame = held.length === before.length && held.every((one, i) => one === before[i]) && this.waiting.get(pool) === waiting
    if (!isSame) this.states.set(pool, {})
    this.held.set(pool, held)
    this.waiting.set(pool, waiting)
  }
}

/** An arena that has them. */
class InUse extends Paper {
  looks = 0

  constructor(
    pools: Used,
    readonly use?: (pool: string) => object | undefined
  ) {
    super()
    this.used = ((pool: string) => {
      this.looks++
      return (pools.held.get(pool) ?? []).reduce((all, { amount }) => all + amount, 0)
    }) as () => number
    this.waiting = (pool, tier) => (tier === TIERS[LOW] ? (pools.waiting.get(pool) ?? 0) : 0)
  }
}

test('a pool in which nothing happens is not looked at, and what is planned and told of it is the same', () => {
  const random = randomsOf(3)
  const few = (most: number) => Math.floor(most * random())
  const comes: Record<string, (period: number) => number> = {
    once: period => (period === 50 ? 2 : 0),
    few: () => (random() < 0.005 ? 1 : 0),
    bursts: period => (period % 400 < 5 ? few(6) : 0),
    many: period => (period > 1_000 ? 0 : few(3))
  }
  const used = new Used()
  const worlds = [new InUse(used, pool => used.states.get(pool)), new InUse(used)].map(arena => ({
    arena,
    planner: plannerOf({ control: 0.1 })
  }))
  for (const { planner } of worlds) for (const pool in comes) planner.pool(pool, 16, 1)
  let told = 0
  for (let period = 0; period < 2_000; period++) {
    const time = period * PERIOD_MS
    for (const pool in comes) {
      const held = (used.held.get(pool) ?? []).filter(({ until }) => until > time)
      for (let i = comes[pool]?.(period) ?? 0; i > 0; i--) {
        const request = { ...asked('pool', pool, time, few(4)), amount: 1 + few(3), workflow: `w${few(3)}` }
        const [until, waited] = [time + 2_000 * random(), random() < 0.1 ? 30 : 0]
        held.push({ amount: request.amount, until })
        for (const { planner } of worlds) {
          planner.came(request)
          planner.ended({ kind: 'pool', thing: pool, tier: request.tier, time, waited, held: until - time })
        }
      }
      used.change(pool, held, random() < 0.02 ? few(3) : (used.waiting.get(pool) ?? 0) && few(2))
    }
    const [one, other] = worlds.map(({ arena, planner }) => {
      arena.now = time
      planner.plan(arena)
      return { collisions: planner.collisions(arena), plans: arena.plans.splice(0) }
    })
    assert.equal(one, other, `period ${period}`)
    told += one?.collisions.length ?? 0
  }
  const [one, other] = worlds.map(({ planner }) => planner.status())
  assert.equal([one?.pools, one?.triggers], [other?.pools, other?.triggers])
  assert.ok(told > 0)
  const [rested, looked] = worlds.map(({ arena }) => arena.looks)
  assert.ok((rested as number) < 0.6 * (looked as number), `${rested} looks of ${looked}`)
})

test.run()
