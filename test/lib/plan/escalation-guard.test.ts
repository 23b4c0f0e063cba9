import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EscalationGuard, type EscalationGuardOptions } from '../../../lib/plan/escalation-guard.js'
import type { EscalationPlan } from '../../../lib/plans.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, STANDARD] = [0, 1]
const PERIOD_MS = 100
const CLOSE = 'month-close'

const guardOf = (cost: number, more: Partial<EscalationGuardOptions> = {}) => {
  const workflowCosts = new Map([[CLOSE, cost]])
  const guard = new EscalationGuard({
    tiers: TIERS,
    waitCosts: [1, 2, 8, 32],
    workflowCosts,
    ageing: 0,
    lag: 0,
    control: 0,
    seed: 1,
    ...more
  })
  guard.pool('p', 1)
  return guard
}

const raise: EscalationPlan = { kind: 'escalation', workflow: CLOSE, tier: 'interactive', until: 10 * PERIOD_MS }

/** A pool of one that three of the standard tier ask for each second at once, and the workflow after them. All have it for 100 ms. */
function run(guard: EscalationGuard, from: number, until: number, plan: EscalationPlan | undefined = raise, held = 100): EscalationPlan[] {
  const written: EscalationPlan[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    if (now % 1000 === 500) {
      for (let i = 0; i < 3; i++) {
        guard.came('p', now + i, STANDARD, 1, 'orders')
        guard.ended('p', now + i, STANDARD, 0, 100, 'orders')
      }
      guard.came('p', now + 10, LOW, 1, CLOSE)
      guard.ended('p', now + 10, LOW, 50, held, CLOSE)
    }
    const wanted = plan !== undefined && now % 700 === 0 ? [plan] : []
    written.push(...guard.pass(wanted, now))
  }
  return written
}

test('what saves more than it costs passes, and is proven', () => {
  const guard = guardOf(16)
  assert.ok(run(guard, 0, 300_000).length > 400)
  const { on, proven, benefit, begun } = guard.status()
  assert.ok(on && proven)
  // Each second it passes two and waits 200 ms less at 16, and each of them 100 ms more at 2.
  assert.ok(Math.abs(benefit.mean - (0.2 * 16 - 2 * 0.1 * 2)) < 0.05, String(benefit.mean))
  assert.is(begun, 1)
})

test('what costs those whom it passes more is put out when its budget is spent, and comes back when it is worth it', () => {
  const guard = guardOf(0.5)
  let now = 0
  for (; guard.status().on && now < 120_000; now += 1000) run(guard, now, now + 1000)
  const { on, balance } = guard.status()
  assert.not(on)
  // A second costs 0.3.
  assert.ok(balance < 0 && balance > -1, String(balance))
  assert.equal(run(guard, now, now + 1000), [])
  const dear = guardOf(16)
  run(dear, 0, 120_000, raise, 5000)
  assert.not(dear.status().on)
  run(dear, 120_000, 3_600_000)
  assert.ok(dear.status().on)
})

test('in windows that are left alone it is taken back, and waits are told apart by them', () => {
  const guard = guardOf(16, { control: 0.3 })
  const written = run(guard, 0, 600_000)
  const back = written.filter(({ until }) => until === 1)
  assert.ok(back.length > 5)
  for (const plan of back) assert.equal([plan.kind, plan.workflow, plan.tier], ['escalation', CLOSE, 'interactive'])
  const [control] = guard.status().control
  const [planned] = guard.status().planned
  assert.is(control?.workflow, CLOSE)
  assert.is((control?.requests ?? 0) + (planned?.requests ?? 0), 600)
  assert.ok(Math.abs((control?.requests ?? 0) / 600 - 0.3) < 0.15)
})

test('nobody planned: nothing is saved, and nothing written', () => {
  const guard = guardOf(16)
  const none = { ...raise, workflow: 'another' }
  run(guard, 0, 60_000, none)
  assert.is(guard.status().benefit.mean, 0)
})

test('what was saved at a pool that is forgotten counts on', () => {
  const guard = guardOf(16)
  run(guard, 0, 100_000)
  const { balance } = guard.status()
  assert.ok(balance > 10)
  guard.forget('p')
  guard.forget('p')
  guard.pass([], 101_000)
  assert.ok(Math.abs(guard.status().balance - balance) < 0.05 * balance, `${guard.status().balance} of ${balance}`)
})

test.run()
