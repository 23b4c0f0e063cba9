import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { HoldTime } from '../../../lib/shadow/hold-times.js'
import { Line, type Member } from '../../../lib/shadow/line.js'
import { LockRules } from '../../../lib/shadow/lock-rules.js'
import { member as memberWith } from './support.js'

const always = (ms: number): HoldTime => ({ basis: 'element', left: age => Math.max(0, ms - age) })

const member = (parts: Partial<Member> = {}) => memberWith(always(10), parts)

function served(waiters: Member[], own = member()): Line {
  const line = new Line(new LockRules([], 0), 0, [[], waiters, [], []], [member({ arrival: -5 })], () => 0.5)
  line.run(own, false, Number.POSITIVE_INFINITY)
  assert.is(line.served.get(own)?.at, 5 + 10 * (line.order.length - 1))
  return line
}

test('all who wait before it are served, each when the one before has ended', () => {
  const waiters = Array.from({ length: 100 }, (_, i) => member({ arrival: i - 200 }))
  const { order } = served(waiters)
  assert.equal(order.slice(0, -1), waiters)
})

test('those who have given up by then are passed over', () => {
  const waiters = Array.from({ length: 100 }, (_, i) => member({ arrival: i - 200, until: i % 2 === 0 ? 1 : 1e6 }))
  assert.equal(
    served(waiters).order.slice(0, -1),
    waiters.filter((_, i) => i % 2 === 1)
  )
})

test('a line of twice the length costs twice as much', () => {
  const work = (length: number) => served(Array.from({ length }, (_, i) => member({ arrival: i - 1e6 }))).work
  const [short, long] = [work(5000), work(10_000)]
  assert.ok(Math.abs(long / short - 2) < 0.01, `${short} ${long}`)
})

test.run()
