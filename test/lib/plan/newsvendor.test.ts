import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { criticalRatio } from '../../../lib/plan/newsvendor.js'

test('the dearer too little is, the larger the quantile', () => {
  assert.is(criticalRatio(3, 1), 0.75)
  assert.is(criticalRatio(1, 3), 0.25)
  assert.is(criticalRatio(2, 0), 1)
})

test('nothing is kept where nothing that is missing costs anything', () => {
  assert.is(criticalRatio(0, 5), 0)
  assert.is(criticalRatio(0, 0), 0)
})

test.run()
