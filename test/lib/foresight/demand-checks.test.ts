import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DemandChecks, type DemandSubject } from '../../../lib/foresight/demand-checks.js'
import { Steps } from '../../../lib/foresight/steps.js'

const STEP = 100
const SUBJECT: DemandSubject = { kind: 'workflow', name: 'w', dimension: undefined, tier: undefined, measure: 'requests' }
const LATE = 1_000

/** So much at each step, with nine of ten between half and twice of it. */
function forecast(point: number[], levels: number[] = [0.05, 0.5, 0.95]) {
  const lines = levels.map(level => Float64Array.from(point, value => value * (level < 0.5 ? 0.5 : level > 0.5 ? 2 : 1)))
  return { horizon: point.length, point: Float64Array.from(point), levels, quantiles: lines }
}

const steps = (take: 'sum' | 'max' = 'sum') => new Steps(STEP, 1_000, 0, take)

test('what was said of a step is told with what came, once it is over and everybody has told', () => {
  const checks = new DemandChecks()
  const own = steps()
  checks.expect('k', SUBJECT, () => own, 10, forecast([4, 9]), 1_020)
  own.add(1_050, 6)
  assert.equal(checks.settle(1_100 + LATE - 1), [])
  const [outcome, ...more] = checks.settle(1_100 + LATE)
  assert.equal(more, [])
  // Ten steps are a second. The pinball losses of 2, 4 and 8 at 0.05, 0.5 and 0.95.
  const score = (10 * (0.05 * 4 + 0.5 * 2 + 0.05 * 2)) / 3
  assert.ok(Math.abs((outcome?.score as number) - score) < 1e-9)
  assert.equal({ ...outcome, score }, { ...SUBJECT, made: 1_020, due: 1_100, value: 40, low: 20, high: 80, truth: 60, score })
  assert.equal(checks.settle(10_000), [])
})

test('a level is told as it is, and without two quantiles there is no interval', () => {
  const checks = new DemandChecks()
  const own = steps('max')
  const about = { ...SUBJECT, measure: 'used' } as const
  checks.expect('none', about, () => own, 0, forecast([4], []), 0)
  checks.expect('one', about, () => own, 0, forecast([4], [0.9]), 0)
  own.add(50, 7)
  assert.equal(
    checks.settle(5_000).map(({ value, truth, low, high }) => [value, truth, low, high]),
    [
      [4, 7, undefined, undefined],
      [4, 7, undefined, undefined]
    ]
  )
})

test('one step of a curve at a time, the first ahead, then the second, the fourth, up to the horizon and from the beginning', () => {
  const checks = new DemandChecks()
  const own = steps()
  const leads: number[] = []
  for (let now = 0; now < 60_000; now += STEP) {
    checks.expect('k', SUBJECT, () => own, now / STEP, forecast([1, 1, 1, 1, 1]), now)
    for (const { made, due } of checks.settle(now)) leads.push((due - made) / STEP)
  }
  assert.equal(leads.slice(0, 5), [1, 2, 4, 1, 2])
  assert.ok(leads.length < 60)
})

test('of more curves than are watched those that were asked for longest ago are left', () => {
  const checks = new DemandChecks()
  const own = steps()
  for (let i = 0; i < 200; i++) checks.expect(`k${i}`, { ...SUBJECT, name: `w${i}` }, () => own, 0, forecast([1]), 0)
  const names = checks.settle(5_000).map(({ name }) => name)
  assert.is(names.length, 128)
  assert.is(names[0], 'w72')
})

test('of what is too long ago nothing is told', () => {
  const checks = new DemandChecks()
  const own = new Steps(STEP, 10, 0, 'sum')
  checks.expect('k', SUBJECT, () => own, 0, forecast([1]), 0)
  assert.equal(checks.settle(60_000), [])
})

test.run()
