import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AskedFrom } from '../../../lib/foresight/asked.js'
import { activity } from './support.js'

test('what is granted or refused at once was asked for then', () => {
  const asked = new AskedFrom()
  assert.is(asked.of(activity({ time: 5 }))?.time, 5)
  assert.is(asked.of(activity({ time: 6, event: 'refusal', outcome: 'busy' }))?.time, 6)
})

test('a request that waits counts when it is made, and not again when its wait ends', () => {
  for (const event of ['grant', 'refusal', 'abort'] as const) {
    const asked = new AskedFrom()
    assert.is(asked.of(activity({ time: 10, event: 'request' }))?.time, 10)
    assert.is(asked.of(activity({ time: 50.02, event, waited: 40 })), undefined)
  }
})

test('a wait that nobody told of when it began counts at its beginning', () => {
  const asked = new AskedFrom()
  assert.is(asked.of(activity({ time: 50, waited: 40 }))?.time, 10)
})

test('a wait of another environment, tier or element is another request', () => {
  for (const other of [{ environment: 9 }, { tier: 3 }, { name: 'b' }]) {
    const asked = new AskedFrom()
    asked.of(activity({ time: 10, event: 'request' }))
    assert.is(asked.of(activity({ time: 50, waited: 40, ...other }))?.time, 10)
  }
})

test('two that wait in one environment are told apart by when they were made', () => {
  const asked = new AskedFrom()
  asked.of(activity({ time: 10, event: 'request' }))
  asked.of(activity({ time: 20, event: 'request' }))
  assert.is(asked.of(activity({ time: 50, waited: 30 })), undefined)
  assert.is(asked.of(activity({ time: 60, waited: 50 })), undefined)
  assert.is(asked.of(activity({ time: 70, waited: 50 }))?.time, 20)
})

test('an end, a reclaim and the use of a plan are no requests', () => {
  const asked = new AskedFrom()
  for (const event of ['end', 'reclaim', 'plan', 'unknown'] as const) assert.is(asked.of(activity({ event })), undefined)
})

test('of requests whose wait never ends it forgets the oldest', () => {
  const asked = new AskedFrom()
  for (let i = 0; i < 70_000; i++) asked.of(activity({ time: i, event: 'request', name: `n${i}` }))
  assert.is(asked.of(activity({ time: 100_000, waited: 100_000, name: 'n0' }))?.time, 0)
  assert.is(asked.of(activity({ time: 100_000, waited: 30_001, name: 'n69999' })), undefined)
})

test.run()
