import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packed, type SavedContention, unpacked } from '../../../lib/predict/contention-saved.js'

const sound: SavedContention = {
  model: [[0, -1], [1]],
  blocks: [[2]],
  holds: [[0, 1], []],
  sums: { asked: 1, collided: 0, waited: 0, waits: 0 },
  parties: [['a', 1, 0, 0, 0, [], [1]]],
  elements: [['one', -5, 1, 0, -1, -1]],
  pairs: [['', '', '', 1, 2, 3, -4]]
}

test('what is packed comes out again', () => {
  assert.equal(unpacked(packed(sound)), sound)
})

test('what is of another shape does not', () => {
  const wrong: unknown[] = [
    null,
    [],
    {},
    { ...sound, model: [['a']] },
    { ...sound, blocks: 5 },
    { ...sound, holds: [[-1], []] },
    { ...sound, sums: {} },
    { ...sound, parties: [['a', 1, 0, 0, 0, []]] },
    { ...sound, parties: [[1, 1, 0, 0, 0, [], []]] },
    { ...sound, elements: [['one', null, 1, 0, -1, -1]] },
    { ...sound, elements: [['one', 1]] },
    { ...sound, pairs: [] },
    { ...sound, pairs: [['', '', 5, 1, 2, 3, 4]] }
  ]
  for (const one of wrong) assert.is(unpacked(packed(one as SavedContention)), undefined, JSON.stringify(one))
  assert.is(unpacked(Buffer.from('no JSON')), undefined)
})

test.run()
