import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isUsable } from '../../../lib/limit/limit.js'

test('a sample of positive, finite numbers can be learnt from', () => {
  assert.is(isUsable({ rttMs: 0.001, inFlight: 0, limit: undefined }), true)
  assert.is(isUsable({ rttMs: 1e12, inFlight: 5, limit: 0 }), true)
})

test('one with NaN, an infinite or a negative number, or no time at all, cannot', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1]) {
    assert.is(isUsable({ rttMs: bad, inFlight: 1, limit: undefined }), false, `rttMs ${bad}`)
    assert.is(isUsable({ rttMs: 1, inFlight: bad, limit: undefined }), false, `inFlight ${bad}`)
    assert.is(isUsable({ rttMs: 1, inFlight: 1, limit: bad }), false, `limit ${bad}`)
  }
  assert.is(isUsable({ rttMs: 0, inFlight: 1, limit: undefined }), false)
})

test.run()
