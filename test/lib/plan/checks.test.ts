import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Checker, Checks, type Expected, type Verdict } from '../../../lib/plan/checks.js'
import type { EscalationPlan, HoldPlan, KeepPlan, Plan } from '../../../lib/plans.js'

const UNTIL_MS = 1000
const keep = (tier = 'interactive'): KeepPlan => ({ kind: 'keep', pool: 'p', tier, amount: 0.1, until: UNTIL_MS })
const hold = (lock: string): HoldPlan => ({ kind: 'hold', lock, tier: 'interactive', until: UNTIL_MS })
const expected: Expected = { kind: 'pool', thing: 'p', tier: 'interactive', workflow: undefined, amount: 1, within: 300 }

/** Says the same each time, and counts how often. */
class Says implements Checker {
  times = 0
  constructor(public verdict: Verdict) {}
  check(): Verdict {
    this.times++
    return this.verdict
  }
}

const allowed = (checks: Checks, plan: Plan, now: number, checker: Checker) => {
  checks.begin(now)
  return checks.allows(plan, expected, now, checker)
}

test('what is needed and can help is written, and not asked about again while it is in force', () => {
  const [checks, says] = [new Checks(), new Says('ok')]
  for (let now = 0; now < 5000; now += 700) assert.ok(allowed(checks, keep(), now, says))
  assert.is(says.times, 1)
  assert.ok(allowed(checks, keep(), 10_000, says))
  assert.is(says.times, 2)
  assert.equal(checks.status(), { checked: 2, unneeded: 0, hopeless: 0 })
})

for (const verdict of ['unneeded', 'hopeless'] as const) {
  test(`what is ${verdict} is not written and counted, and asked about again when it would have been over`, () => {
    const [checks, says] = [new Checks(), new Says(verdict)]
    for (let now = 0; now < UNTIL_MS; now += 100) assert.not(allowed(checks, keep(), now, says))
    assert.is(says.times, 1)
    says.verdict = 'ok'
    assert.ok(allowed(checks, keep(), UNTIL_MS, says))
    assert.equal(checks.status(), { checked: 2, unneeded: 0, hopeless: 0, [verdict]: 1 })
  })
}

test('who is raised while he gets in line stays so: an escalation is never hopeless', () => {
  const plan: EscalationPlan = { kind: 'escalation', workflow: 'w', tier: 'interactive', until: UNTIL_MS }
  assert.ok(allowed(new Checks(), plan, 0, new Says('hopeless')))
  assert.not(allowed(new Checks(), plan, 0, new Says('unneeded')))
})

test('in one period two of pools are asked about, and the others have their turn in the next ones: none is written without', () => {
  const [checks, says] = [new Checks(), new Says('ok')]
  const names = Array.from({ length: 10 }, (_, i) => `p${i}`)
  const written = new Set<string>()
  for (let now = 0; now < 500; now += 100) {
    checks.begin(now)
    for (const pool of names) if (checks.allows({ ...keep(), pool }, { ...expected, thing: pool }, now, says)) written.add(pool)
    assert.equal([...written], names.slice(0, says.times))
    assert.is(says.times, 2 + (2 * now) / 100)
  }
  assert.equal([...written], names)
})

test('where more are refused than can be asked about each has its turn', () => {
  const [checks, says] = [new Checks(), new Says('unneeded')]
  const asked: string[] = []
  const checker: Checker = {
    check({ thing }) {
      asked.push(thing)
      return says.check()
    }
  }
  for (let now = 0; now < 10_000; now += 100) {
    checks.begin(now)
    for (let i = 0; i < 100; i++) assert.not(checks.allows({ ...keep(), pool: `p${i}` }, { ...expected, thing: `p${i}` }, now, checker))
  }
  assert.is(new Set(asked).size, 100)
})

test('of locks, of which it takes far less, 32 are asked about in a period', () => {
  const [checks, says] = [new Checks(), new Says('ok')]
  checks.begin(0)
  const written = Array.from({ length: 40 }, (_, i) => checks.allows(hold(`l${i}`), { ...expected, kind: 'lock', thing: `l${i}` }, 0, says))
  assert.equal([says.times, written.filter(Boolean).length], [32, 32])
})

test('where nothing was asked a plan is written, and nothing counted', () => {
  const checks = new Checks()
  for (let i = 0; i < 10; i++) assert.ok(allowed(checks, hold(`l${i}`), 0, { check: () => undefined }))
  assert.equal(checks.status(), { checked: 0, unneeded: 0, hopeless: 0 })
})

test('plans for other things and tiers are asked about by themselves, and what was taken back begins anew', () => {
  const [checks, says] = [new Checks(), new Says('ok')]
  for (const plan of [keep(), keep('critical'), hold('a'), hold('b')]) allowed(checks, plan, 0, says)
  assert.is(says.times, 4)
  checks.ends(keep())
  for (const plan of [keep(), keep('critical')]) allowed(checks, plan, 10, says)
  assert.is(says.times, 5)
})

test('those that are over are forgotten', () => {
  const [checks, says] = [new Checks(), new Says('ok')]
  for (let i = 0; i < 20_000; i++) allowed(checks, hold(`l${i}`), i * 10, says)
  assert.is(says.times, 20_000)
  assert.is(checks.status().checked, 20_000)
})

test.run()
