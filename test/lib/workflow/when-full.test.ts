import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FullError, ScaleRequest } from '../../../lib/index.js'
import { aborted, isCoded, isSettled, macrotask, rejection, virtual } from '../support.js'

function full() {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  const held = pool.tryAllocate({ cpu: 8 })
  return { gov, pool, free: () => held?.release() }
}
const needs = (pool: ReturnType<typeof full>['pool']) => ({ needs: { pool: [pool, { cpu: 2 }] as const }, metering: false as const })

test('a run waits by default', async () => {
  const { gov, pool, free } = full()
  const run = gov.workflow('w', needs(pool)).run(() => 'done')
  assert.not.ok(await isSettled(run))
  free()
  assert.is(await run, 'done')
  await gov.close()
})

test('a run that is to wait for nothing is rejected with what refused, and nothing is held', async () => {
  const { gov, pool, free } = full()
  const workflow = gov.workflow('w', { needs: 'learn', pool, whenFull: 'reject', metering: false, learning: { first: { cpu: 2 } } })
  const error: FullError = await rejection(workflow.run(() => undefined))
  isCoded(error, 'ERR_FORELOCK_FULL')
  assert.equal([error.resource, error.kind, error.asked, error.waitMs], ['p', 'pool', { cpu: 2 }, undefined])
  free()
  assert.is(await workflow.run(() => 'done'), 'done')
  const bucket = gov.bucket('b', { rate: 1, burst: 1 })
  const paced = gov.workflow('paced', { needs: { tokens: [[bucket, 1]] }, whenFull: 'reject', metering: false })
  await paced.run(() => undefined)
  const late: FullError = await rejection(paced.run(() => undefined))
  assert.equal([late.kind, late.waitMs], ['bucket', 1_000])
  assert.is(pool.usage().used.cpu, 0)
  await gov.close()
})

test('who is to bring more is told how much of which pool, of several, and of a bucket when it would grant', async () => {
  const { gov, pool } = full()
  const disks = gov.pool('disks', { capacity: { gb: 8 } })
  const bucket = gov.bucket('b', { rate: 1, burst: 1 })
  const asked: ScaleRequest[] = []
  const onScale = (request: ScaleRequest) => void asked.push(request)
  const pools = [[disks, { gb: 1 }] as const, [pool, { cpu: 2 }] as const]
  const several = gov.workflow('several', { needs: { pool: pools }, whenFull: 'scale', onScale, metering: false }).run(() => undefined)
  bucket.tryTake(1)
  const paced = gov
    .workflow('paced', { needs: { tokens: [[bucket, 1]] }, whenFull: 'scale', onScale, metering: false })
    .run(() => undefined)
  await macrotask()
  assert.equal(
    asked.map(({ name, amounts, waitMs }) => [name, amounts, waitMs]),
    [
      ['p', { cpu: 2 }, undefined],
      ['b', undefined, 1_000]
    ]
  )
  pool.resize({ cpu: 16 })
  gov.advance(1_000)
  await Promise.all([several, paced])
  await gov.close()
})

test('more is called for once while somebody brings it, and the runs wait for it', async () => {
  const { gov, pool } = full()
  const asked: ScaleRequest[] = []
  let done: () => void = () => undefined
  const onScale = (request: ScaleRequest) => {
    asked.push(request)
    return new Promise<void>(resolve => {
      done = resolve
    })
  }
  const workflow = gov.workflow('w', { ...needs(pool), tier: 'interactive', whenFull: 'scale', onScale })
  const runs = [workflow.run(() => 1), workflow.run(() => 2)]
  await macrotask()
  assert.equal(asked, [{ workflow: 'w', tier: 'interactive', kind: 'pool', name: 'p', amounts: { cpu: 2 }, waitMs: undefined }])
  pool.resize({ cpu: 16 })
  done()
  assert.equal(await Promise.all(runs), [1, 2])
  await macrotask()
  pool.resize({ cpu: 8 })
  const again = workflow.run(() => 3)
  await macrotask()
  assert.is(asked.length, 2)
  pool.resize({ cpu: 16 })
  done()
  assert.is(await again, 3)
  await gov.close()
})

test('a hook that fails ends the wait of the run that it was called for, and of no other', async () => {
  const { gov, pool, free } = full()
  const failure = new Error('no more machines')
  const workflow = gov.workflow('w', {
    ...needs(pool),
    whenFull: 'scale',
    onScale: () => {
      throw failure
    }
  })
  const first = workflow.run(() => undefined)
  const second = workflow.run(() => 'done')
  assert.is(await rejection(first), failure)
  assert.not.ok(await isSettled(second))
  free()
  assert.is(await second, 'done')
  await gov.close()
})

test('the signal of a run ends its wait while more is called for', async () => {
  const { gov, pool } = full()
  const controller = new AbortController()
  const workflow = gov.workflow('w', { ...needs(pool), whenFull: 'scale', onScale: () => new Promise<void>(() => undefined) })
  const run = workflow.run({ signal: controller.signal }, () => undefined)
  await macrotask()
  controller.abort()
  aborted(await rejection(run))
  aborted(await rejection(workflow.run({ signal: controller.signal }, () => undefined)))
  await gov.close()
})

test.run()
