import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { partsOf } from '../../../lib/foresight/pool-parts.js'
import type { Governor, PoolOptions } from '../../../lib/index.js'
import { pools } from '../../../lib/pool.js'
import { virtual } from '../support.js'

const termsOf = (gov: Governor, options: PoolOptions) => pools.termsOf(gov.pool('p', options))

test('a pool whose tiers may have anything has no parts', async () => {
  const gov = virtual()
  assert.is(partsOf(termsOf(gov, { capacity: { slots: 20 } }), 20), undefined)
  await gov.close()
})

test('floors, shares and ceilings are in units; who says nothing may have all', async () => {
  const gov = virtual()
  const tiers = { background: { ceiling: 0.5 }, interactive: { floor: 0.1, share: 0.25 } }
  assert.equal(partsOf(termsOf(gov, { capacity: { slots: 20 }, tiers }), 20), [
    { floor: 0, share: 0, ceiling: 10 },
    { floor: 0, share: 0, ceiling: 20 },
    { floor: 2, share: 5, ceiling: 20 },
    { floor: 0, share: 0, ceiling: 20 }
  ])
  await gov.close()
})

test('of several dimensions it is the largest floor and share, and the lowest ceiling', async () => {
  const gov = virtual()
  const tiers = { standard: { floor: { cpu: 0.1 }, share: { cpu: 0.1, memory: 0.3 }, ceiling: { cpu: 0.8, memory: 0.6 } } }
  const parts = partsOf(termsOf(gov, { capacity: { cpu: 8, memory: 64 }, tiers }), 1000)
  assert.equal(parts?.[1], { floor: 100, share: 300, ceiling: 600 })
  await gov.close()
})

test.run()
