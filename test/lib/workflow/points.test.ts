import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataPoints, type RunRecord } from '../../../lib/index.js'
import { macrotask, virtual } from '../support.js'

async function pointsOf(every: number | undefined) {
  const gov = virtual()
  const workflow = gov.workflow('w', { type: 'image', keep: ['bytes'], metering: { scope: 'process', ...(every && { every }) } })
  let record: RunRecord | undefined
  workflow.on('run', told => {
    record = told
  })
  await workflow.run({ input: { bytes: 7, user: 'ada' }, tenant: 'acme' }, async run => {
    await run.action('read', () => gov.advance(15))
    await run.action('write', () => gov.advance(10))
  })
  await macrotask()
  await gov.close()
  return { points: dataPoints(record as RunRecord), record: record as RunRecord }
}

test('a run that was sampled has a point for each sample: when, what for, what it was doing, and what it had used', async () => {
  const { points, record } = await pointsOf(10)
  assert.equal(
    points.map(({ time, actions }) => [time - record.start, actions]),
    [
      [15, ['write']],
      [25, []]
    ]
  )
  for (const { workflow, type, run, tenant, input } of points) {
    assert.equal([workflow, type, run, tenant, input], ['w', 'image', record.id, 'acme', { bytes: 7 }])
  }
  assert.is(points[0]?.usage.cpu, record.curve?.cpu?.[0])
  assert.is(points[1]?.usage, record.usage)
})

test('a run that was not sampled has the point at its end', async () => {
  const { points, record } = await pointsOf(undefined)
  assert.equal(points.length, 1)
  assert.equal([points[0]?.time, points[0]?.usage], [record.start + 25, record.usage])
})

test.run()
