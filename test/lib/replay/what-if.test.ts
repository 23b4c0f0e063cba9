import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changed, readSettings } from '../../../lib/replay/what-if.js'
import { isCoded, thrown } from '../support.js'
import { workload } from './support.js'

const busy = () =>
  workload(
    Array.from({ length: 6 }, () => ({ time: 0, duration: 100 })),
    1,
    { tiers: ['background'] }
  )

test('a setting changes what it names, and nothing else', () => {
  const own = {
    ...busy(),
    buckets: [
      { name: 'a.b', rate: 5 },
      { name: 'c', rate: 7 }
    ]
  }
  const [slots, rate] = readSettings(['capacity.slots=3', 'rate.a.b=9.5']).map(setting => changed(own, setting))
  assert.equal(slots?.pools, [{ name: 'p', capacity: { slots: 3 }, unit: 1 }])
  assert.equal(slots?.buckets, own.buckets)
  assert.equal(rate?.buckets, [
    { name: 'a.b', rate: 9.5 },
    { name: 'c', rate: 7 }
  ])
  assert.equal([slots?.setting, rate?.setting], ['100+capacity.slots=3', '100+rate.a.b=9.5'])
})

test('what is no setting, or of a thing that there is not, is refused', () => {
  for (const wrong of ['slots=3', 'capacity.slots=', 'capacity.slots=0', 'capacity.slots=many', 'rate.=5', 'capacity.slots']) {
    isCoded(
      thrown(() => readSettings([wrong])),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const absent of ['capacity.cpu=3', 'rate.c=5']) {
    isCoded(
      thrown(() => changed(busy(), readSettings([absent])[0] as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
