import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ContentionMap,
  dataPoints,
  type PredictionOutput,
  type ResourcePool,
  type ResourceProfile,
  type RunRecord,
  type ShadowDataPoint,
  type WorkflowProfile
} from '../../lib/index.js'
import { macrotask, virtual } from './support.js'

test('the types that the plan of this library names are exported, and are what its calls return', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', { profile: { duration: 5 } })
  const records: RunRecord[] = []
  workflow.on('run', record => records.push(record))
  const output: PredictionOutput = await workflow.run(run => run.forecast(1))
  await macrotask()
  const points: ShadowDataPoint[] = dataPoints(records[0] as RunRecord)
  const profile: WorkflowProfile = workflow.profile()
  const duration: ResourceProfile | undefined = profile.duration
  const pool: ResourcePool = gov.pool('p', { capacity: { cpu: 1 } }).usage()
  await gov.foresight.start({ thread: false })
  const map: ContentionMap = await gov.foresight.map()
  assert.equal([output.workflow, points.length, duration?.expected, pool.capacity.cpu, map.pairs], ['w', 1, duration?.expected, 1, []])
  await gov.close()
})

test.run()
