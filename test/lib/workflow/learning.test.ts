import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { WorkflowOptions } from '../../../lib/index.js'
import { underFor } from '../../../lib/workflow/learning.js'
import { isCoded, thrown, virtual } from '../support.js'

test('the dearer it is to wait, the fewer runs may be short, and the dearer to idle, the more', () => {
  const tiers = [0, 1, 2, 3].map(tier => underFor(undefined, tier))
  assert.is(tiers[1], 0.015, 'that of the usage model, in the standard tier')
  for (const [i, under] of tiers.entries()) if (i > 0) assert.ok(under < (tiers[i - 1] as number), `${tiers}`)
  assert.ok(underFor({ waiting: 2, idling: 5 }, 1) > 0.015)
  assert.is(underFor({ waiting: 1e9, idling: 1 }, 1), 0.001)
})

test('what cannot be is refused before anything is asked for', async () => {
  const gov = virtual()
  const other = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  const bucket = gov.bucket('b', { rate: 5 })
  const wrong: WorkflowOptions[] = [
    { needs: 'learn' },
    { needs: 'learn', pool: other.pool('p', { capacity: { cpu: 8 } }) },
    { needs: 'learn', pool: {} as never },
    { needs: 'lern' as never, pool },
    { pool },
    { buckets: [bucket] },
    { learning: {} },
    { needs: 'learn', pool, buckets: [{} as never] },
    { needs: 'learn', pool, buckets: [[bucket, 0]] },
    { needs: 'learn', pool, buckets: bucket as never },
    { needs: 'learn', pool, learning: { first: { gpu: 1 } } },
    { needs: 'learn', pool, learning: { under: 0.5 } },
    { needs: 'learn', pool, learning: { tries: 0 } },
    { needs: 'learn', pool, learning: { costs: { waiting: -1 } } },
    { needs: 'learn', pool, learning: { costs: { waiting: 0, idling: 0 } } },
    { needs: 'learn', pool, learning: { quantile: 1 } as never },
    { whenFull: 'wait' as never },
    { whenFull: 'scale' },
    { whenFull: 'queue', onScale: () => undefined },
    { whenFull: 'scale', onScale: 7 as never }
  ]
  for (const options of wrong) {
    isCoded(
      thrown(() => gov.workflow('w', options)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(pool.usage().used.cpu, 0)
  await gov.close()
  await other.close()
})

test('each run takes a token of the buckets, or so many', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  const [one, three] = [gov.bucket('one', { rate: 1, burst: 10 }), gov.bucket('three', { rate: 1, burst: 10 })]
  const workflow = gov.workflow('w', { needs: 'learn', pool, buckets: [one, [three, 3]], metering: false })
  await workflow.run(() => undefined)
  assert.equal([one.peek().remaining, three.peek().remaining], [9, 7])
  await gov.close()
})

test('a run is granted a sixteenth at first, and never more than its tier may have', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 1_600 }, tiers: { standard: { ceiling: 0.5 }, interactive: { floor: 0.25 } } })
  const workflow = gov.workflow('w', { needs: 'learn', pool, metering: false })
  assert.equal(workflow.size(), { cpu: 50 })
  for (let i = 0; i < 30; i++) await workflow.run(run => void run.uses({ cpu: 5_000 }))
  assert.equal(workflow.size(), { cpu: 800 })
  pool.resize({ cpu: 400 })
  gov.advance(1_000)
  assert.equal(workflow.size(), { cpu: 200 })
  await gov.close()
})

test.run()
