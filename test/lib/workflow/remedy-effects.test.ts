import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { OutcomeNotice } from '../../../lib/notices.js'
import { RemedyEffects, type Weighed } from '../../../lib/workflow/remedy-effects.js'

const LOW = 0
const HIGH = 2
const COSTS = [1, 2, 8, 32]
const WITHIN_MS = 500

interface Collision {
  readonly control?: boolean
  /** ms that a run of the workflow waits, and that the tier does */
  readonly own: number
  readonly upper: number
}

/** Collisions one after the other, each with a run of the workflow. */
class Day {
  readonly effects = new RemedyEffects(LOW)
  now = 0
  #count = 0

  collide({ control = false, own, upper }: Collision): Weighed | undefined {
    const id = `a:${this.#count++}`
    this.effects.watch({ id, kind: 'reschedule', control, at: this.now, within: WITHIN_MS, upper: HIGH, costs: COSTS })
    const run = this.effects.asked(this.now)
    if (run !== undefined) run.admitted = this.now + own
    this.now += 2 * WITHIN_MS
    const outcome: OutcomeNotice = {
      event: 'outcome',
      id,
      kind: 'pool',
      what: 'p',
      tier: 'interactive',
      came: true,
      requests: 1,
      waited: upper
    }
    return this.effects.outcome(outcome, this.now)
  }

  get worth() {
    return this.effects.worth(this.now).reschedule
  }

  isOn(): boolean {
    return this.effects.isOn('reschedule', this.now)
  }
}

test('what one cost and what it brought are waits by what they cost, beside those that were left alone', () => {
  const day = new Day()
  for (let i = 0; i < 5; i++) day.collide({ control: true, own: 0, upper: 1000 })
  const weighed = day.collide({ own: 500, upper: 250 })
  assert.equal(weighed, { kind: 'reschedule', control: false, runs: 1, waited: 500, cost: 0.5, upperCost: 2, effect: 5.5 })
  assert.equal(day.collide({ control: true, own: 0, upper: 1000 })?.effect, undefined)
})

test('as long as there is too little to compare with nothing is said of it', () => {
  const day = new Day()
  for (let i = 0; i < 10; i++) assert.is(day.collide({ own: 500, upper: 0 })?.effect, undefined)
  assert.equal(day.worth?.effect, { mean: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY })
  assert.ok(day.isOn())
})

test('the mean has an interval, which holds what it is', () => {
  const day = new Day()
  // A tier that waits 100 to 300 ms less by it, 200 on average: 1.6 request seconds, for half a second of the workflow's own.
  for (let i = 0; i < 60; i++) {
    day.collide({ control: true, own: 0, upper: 1000 })
    day.collide({ own: 500, upper: 700 + 100 * (i % 3) })
  }
  const { mean, low, high } = day.worth?.effect ?? { mean: 0, low: 0, high: 0 }
  assert.ok(Math.abs(mean - 1.1) < 1e-9)
  assert.ok(low > 0.9 && low < mean && high > mean && high < 1.3, `${low} to ${high}`)
})

test('what is shown to cost more than it brings is not done any more, and tried again after a while, each time after twice as long', () => {
  const day = new Day()
  for (let i = 0; i < 5; i++) day.collide({ control: true, own: 0, upper: 100 })
  const off: number[] = []
  for (let again = 0; again < 8; again++) {
    // As many as there must be to tell.
    let done = 0
    for (; day.isOn(); done++) day.collide({ own: 500, upper: 100 })
    assert.is(done, 5)
    assert.is(day.worth?.on, false)
    const since = day.now
    while (!day.isOn()) day.now += 1000
    off.push(day.now - since)
  }
  assert.equal(
    off,
    [10, 20, 40, 80, 160, 320, 600, 600].map(seconds => 1000 * seconds)
  )
})

test('one of which it is not known whether it brings anything stays, and so does one that has become worth it', () => {
  const day = new Day()
  for (let i = 0; i < 20; i++) {
    day.collide({ control: true, own: 0, upper: 1000 * (i % 2) })
    day.collide({ own: 100, upper: 1000 * (i % 2) })
  }
  assert.ok((day.worth?.effect.mean ?? 0) < 0)
  assert.ok(day.isOn())
  const other = new Day()
  for (let i = 0; i < 5; i++) other.collide({ control: true, own: 0, upper: 100 })
  while (other.isOn()) other.collide({ own: 500, upper: 100 })
  while (!other.isOn()) other.now += 1000
  for (let i = 0; i < 20; i++) {
    other.collide({ own: 0, upper: 0 })
    assert.ok(other.isOn())
  }
})

test('runs that still wait have waited until now, and those of other times are none of it', () => {
  const effects = new RemedyEffects(LOW)
  effects.watch({ id: 'a:1', kind: 'pace', control: false, at: 0, within: WITHIN_MS, upper: HIGH, costs: COSTS })
  assert.ok(effects.asked(100) !== undefined)
  assert.is(effects.asked(WITHIN_MS), undefined)
  const outcome: OutcomeNotice = {
    event: 'outcome',
    id: 'a:1',
    kind: 'pool',
    what: 'p',
    tier: 'interactive',
    came: false,
    requests: 0,
    waited: 0
  }
  const weighed = effects.outcome(outcome, 1000)
  assert.equal([weighed?.runs, weighed?.waited], [1, 900])
  assert.is(effects.outcome(outcome, 1000), undefined)
})

test('of collisions whose outcome is never told the oldest are forgotten', () => {
  const effects = new RemedyEffects(LOW)
  for (let i = 0; i < 100; i++) {
    effects.watch({ id: `a:${i}`, kind: 'pace', control: false, at: 0, within: WITHIN_MS, upper: HIGH, costs: COSTS })
  }
  const outcome = (i: number): OutcomeNotice => {
    return { event: 'outcome', id: `a:${i}`, kind: 'pool', what: 'p', tier: 'interactive', came: false, requests: 0, waited: 0 }
  }
  assert.is(effects.outcome(outcome(0), 1000), undefined)
  assert.ok(effects.outcome(outcome(99), 1000) !== undefined)
})

test.run()
