import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DataTally } from '../../../lib/workflow/data.js'
import { isCoded, thrown } from '../support.js'

function tally(...transfers: [bytes: number, at: number][]): DataTally {
  const data = new DataTally()
  for (const [bytes, at] of transfers) data.add(bytes, at)
  return data
}

test('nothing was moved where nothing was told', () => {
  assert.is(tally().moved(100), undefined)
})

test('bytes are added up, and the largest transfer is known', () => {
  assert.equal(tally([5, 0], [20, 1], [7, 2]).moved(100), { bytes: 32, transfers: 3, largest: 20, pattern: 'burst' })
})

test('three transfers or more that go on over half of the time are a stream', () => {
  assert.is(tally([1, 0], [1, 30], [1, 50]).moved(100)?.pattern, 'stream')
  assert.is(tally([1, 0], [1, 30], [1, 49]).moved(100)?.pattern, 'burst')
  assert.is(tally([1, 0], [1, 99]).moved(100)?.pattern, 'burst')
})

test('what is no size is refused, and nothing is added', () => {
  const data = tally([5, 0])
  for (const bytes of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined]) {
    isCoded(
      thrown(() => data.add(bytes, 1)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(data.moved(1)?.transfers, 1)
})

test.run()
