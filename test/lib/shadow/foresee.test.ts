import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { foresee } from '../../../lib/shadow/foresee.js'
import type { HoldTime } from '../../../lib/shadow/hold-times.js'
import type { Member } from '../../../lib/shadow/line.js'
import { LockRules } from '../../../lib/shadow/lock-rules.js'
import { member as memberWith } from './support.js'

/** As often any time up to twice as long. */
const about = (ms: number): HoldTime => ({ basis: 'element', left: (age, quantile) => Math.max(0, 2 * ms * quantile - age) })

const member = (parts: Partial<Member>) => memberWith(about(100), parts)

function foreseen(holders: readonly Member[]) {
  let courses = 0
  const rules = () => {
    courses++
    return new LockRules([], 0)
  }
  const { contention, p50, p95 } = foresee({ ageing: 0, waiters: [[], [], [], []], holders, rules }, member({ arrival: 50 }))
  return { contention, p50, p95, courses }
}

test('where nobody else is there one course is as good as many', () => {
  const { courses, ...said } = foreseen([])
  assert.equal(said, { contention: 0, p50: 0, p95: 0 })
  assert.ok(courses <= 2, String(courses))
})

test('where somebody holds it, for nobody knows how long, many are drawn', () => {
  const { contention, p50, p95, courses } = foreseen([member({})])
  assert.ok(courses > 100, String(courses))
  assert.ok(Math.abs(contention - 0.75) < 0.1, String(contention))
  assert.ok((p50 as number) > 0 && (p95 as number) > (p50 as number))
})

test.run()
