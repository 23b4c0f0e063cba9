import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readWarm, type WarmOptions } from '../../../lib/agent/warm-options.js'
import { isCoded, thrown } from '../support.js'

test('what is not said is the default, and false is nothing', () => {
  assert.equal(readWarm(undefined), { threshold: undefined, most: 64, within: 500, cold: 1000, costs: undefined })
  assert.equal(readWarm({ threshold: 0.5, most: 2, within: 5000, cold: 0, costs: { miss: 3, waste: 0 } }), {
    threshold: 0.5,
    most: 2,
    within: 5000,
    cold: 0,
    costs: { miss: 3, waste: 0 }
  })
  assert.is(readWarm(false), undefined)
})

test('what makes no sense is refused', () => {
  const refused: unknown[] = [
    null,
    true,
    'much',
    { threshold: 1.1 },
    { threshold: Number.NaN },
    { most: 0 },
    { most: 1025 },
    { within: 0 },
    { within: 3_600_001 },
    { cold: -1 },
    { costs: {} },
    { costs: { miss: 1 } },
    { costs: { miss: 1, waste: -1 } },
    { costs: null },
    { more: 1 }
  ]
  for (const one of refused)
    isCoded(
      thrown(() => readWarm(one as WarmOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test.run()
