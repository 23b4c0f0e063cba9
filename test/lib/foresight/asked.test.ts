import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AskedFrom } from '../../../lib/foresight/asked.js'
import { activity } from './support.js'

test('what is granted or refused at once was asked for then', () => {
  const asked = new AskedFrom()
  assert.is(asked.of(activity({ time: 5 })), 5)
  assert.is(asked.of(activity({ time: 6, event: 'refusal', outcome: 'busy' })), 6)
})

test('a request that waits counts when it is made, and not again when its wait ends', () => {
  for (const event of ['grant', 'refusal', 'abort'] as const) {
    const asked = new AskedFrom()
    assert.is(asked.of(activity({ time: 10, event: 'request' })), 10)
    assert.ok(Number.isNaN(asked.of(activity({ time: 50.02, event, waited: 40 }))))
  }
})

test('a wait that nobody told of when it began counts at its beginning', () => {
  const asked = new AskedFrom()
  assert.is(asked.of(activity({ time: 50, waited: 40 })), 10)
})

test('a wait of another environment, tier or element is another request', () => {
  for (const other of [{ environment: 9 }, { tier: 3 }, { name: 'b' }]) {
    const asked = new AskedFrom()
    asked.of(activity({ time: 10, event: 'request' }))
    assert.is(asked.of(activity({ time: 50, waited: 40, ...other })), 10)
  }
})

test('two that wait in one environment are told apart by when they were made', () => {
  const asked = new AskedFrom()
  asked.of(activity({ time: 10, event: 'request' }))
  asked.of(activity({ time: 20, event: 'request' }))
  assert.ok(Number.isNaN(asked.of(activity({ time: 50, waited: 30 }))))
  assert.ok(Number.isNaN(asked.of(activity({ time: 60, waited: 50 }))))
  assert.is(asked.of(activity({ time: 70, waited: 50 })), 20)
})

test('an end, a reclaim and the use of a plan are no requests', () => {
  const asked = new AskedFrom()
  for (const event of ['end', 'reclaim', 'plan', 'unknown'] as const) assert.ok(Number.isNaN(asked.of(activity({ event }))))
})

test('of requests whose wait never ends it forgets the oldest', () => {
  const asked = new AskedFrom()
  for (let i = 0; i < 70_000; i++) asked.of(activity({ time: i, event: 'request', name: `n${i}` }))
  assert.is(asked.of(activity({ time: 100_000, waited: 100_000, name: 'n0' })), 0)
  assert.ok(Number.isNaN(asked.of(activity({ time: 100_000, waited: 30_001, name: 'n69999' }))))
})

test.run()
