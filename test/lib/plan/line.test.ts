import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Line } from '../../../lib/plan/line.js'

test('who came first is taken first, however many came and went', () => {
  const line = new Line<number>()
  let [came, gone] = [0, 0]
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 200; i++) line.push(came++)
    for (let i = 0; i < 150; i++) {
      assert.is(line.first, gone)
      assert.is(line.shift(), gone++)
    }
    assert.is(line.length, came - gone)
  }
  while (line.length > 0) assert.is(line.shift(), gone++)
  assert.is(gone, came)
  assert.is(line.first, undefined)
})

test.run()
