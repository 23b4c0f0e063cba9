import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { replay } from '../../../../lib/replay/engine.js'
import { oracle } from '../../../../lib/replay/policies/oracle.js'
import { sizing } from '../../../../lib/replay/policies/sizing.js'
import { type Said, workload } from '../support.js'

const tasks = (count: number): Said[] =>
  Array.from({ length: count }, (_, i) => ({ time: 0, duration: 10, tier: 'background', amount: 1000, peak: 100 + (i % 3) }))
const sized = (count: number) => workload(tasks(count), 1000, { sized: true, tiers: ['background'] })

test('what was learnt from those that are over is asked for by those whose turn comes later', async () => {
  const work = sized(60)
  const all = {
    reactive: await replay({ workload: work, policy: { name: 'reactive' } }),
    ours: await replay({ workload: work, policy: sizing(work, { seed: 1 }) })
  }
  const best = await replay({ workload: work, policy: oracle(work) })
  assert.is(all.reactive.makespan, 600, 'one at a time')
  assert.ok(all.ours.makespan <= 1.7 * best.makespan, `${all.ours.makespan} and ${best.makespan} ms`)
  assert.ok((all.ours.waste as number) < 2, `${all.ours.waste} x used`)
})

test('before anything is over it asks for what was configured, and never for more', () => {
  const work = sized(1)
  const policy = sizing(work, { seed: 1 })
  const arrival = { ...work, time: 0, who: { workflow: 'w', tenant: undefined, tier: 'background' }, kind: 'pool', thing: 'p' } as const
  const asked = { ...arrival, amounts: [300], shared: false, input: { bytes: 7 } }
  assert.equal(policy.size?.(asked), [300])
  for (let i = 0; i < 9; i++) {
    policy.onEnd?.({ ...asked, peak: [900], duration: 1, waited: 0, granted: [1000] }, undefined as never)
  }
  assert.equal(policy.size?.(asked), [300])
})

test('the same replay twice has one result', async () => {
  const work = sized(30)
  const once = async () => ({ ...(await replay({ workload: work, policy: sizing(work, { seed: 1 }) })), took: 0 })
  assert.equal(await once(), await once())
})

test.run()
