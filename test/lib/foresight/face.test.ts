import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Anomaly, type Governor, open } from '../../../lib/index.js'
import { randomNumbers } from '../shadow/recorded-runs.js'
import { Simulated } from '../shadow/simulated.js'
import { isCoded, rejection, thrown, virtual } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-foresight-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** The same, with foresight in this thread and in one of its own. */
function both(name: string, body: (gov: Governor) => Promise<void>): void {
  for (const thread of [false, true]) {
    test(`${name}${thread ? ', in a thread' : ''}`, async () => {
      const gov = virtual()
      gov.foresight.start({ thread })
      await gov.foresight.status()
      try {
        await body(gov)
      } finally {
        await gov.close()
      }
    })
  }
}

both('a lock that is asked for at regular times is foretold', async gov => {
  const lock = gov.lock('invoice:42')
  for (let i = 0; i < 400; i++) {
    lock.tryAcquire()?.release()
    if (i % 50 === 0) await gov.foresight.status()
    gov.advance(3_000)
  }
  // The next one is due now.
  assert.ok((await gov.foresight.score({ lock: 'invoice:42' })) > 0.5)
  assert.is((await gov.foresight.likely())[0]?.name, 'invoice:42')
  assert.ok((await gov.foresight.score({ lock: 'another' })) < 0.1)
})

both('the demand of a bucket is foretold', async gov => {
  const bucket = gov.bucket('stripe', { rate: 1_000 })
  for (let second = 0; second < 300; second++) {
    bucket.tryTake(second % 30 < 5 ? 90 : 10, { tier: 'interactive', workflow: 'checkout' })
    if (second % 50 === 0) await gov.foresight.status()
    gov.advance(1_000)
  }
  const { point, step } = await gov.foresight.demand({ bucket: 'stripe', tier: 'interactive' }, { horizon: 30_000 })
  assert.is(step, 1_000)
  for (const [i, tokens] of point.entries()) assert.ok(Math.abs(tokens - (i < 5 ? 90 : 10)) < 15, `${tokens} at ${i}`)
})

both('who collides with whom is foretold, and how good what was said is', async gov => {
  const lock = gov.lock('invoice')
  for (let i = 0; i < 100; i++) {
    const held = lock.tryAcquire({ workflow: 'batch' })
    const waiting = lock.acquire({ workflow: 'web', tier: 'interactive' })
    gov.advance(500)
    held?.release()
    ;(await waiting).release()
    if (i % 20 === 0) await gov.foresight.status()
    gov.advance(3_000)
  }
  const held = lock.tryAcquire({ workflow: 'batch' })
  const { probability } = await gov.foresight.contention({ needs: [{ lock: 'invoice' }], workflow: 'web', tier: 'interactive' })
  assert.ok(probability > 0.7, String(probability))
  assert.equal(
    (await gov.foresight.map(1)).pairs.map(({ workflow, blocker }) => [workflow, blocker]),
    [['web', 'batch']]
  )
  held?.release()
  for (let i = 0; i < 5; i++) {
    await gov.foresight.demand({ workflow: 'web' }, { horizon: 10_000 })
    gov.advance(1_000)
  }
  assert.is((await gov.foresight.accuracy())[0]?.model, 'demand')
})

both('an event can be told, and taken back', async gov => {
  await gov.foresight.expect({ type: 'sale', id: 'spring', start: 0 })
  assert.equal([await gov.foresight.cancel('spring'), await gov.foresight.cancel('spring')], [true, false])
  isCoded(await rejection(gov.foresight.expect({ type: 'sale' } as never)), 'ERR_FORELOCK_ARGUMENT')
  for (const misspelt of [{ wieght: 2 }, { scope: { workflows: 'web' } }]) {
    isCoded(await rejection(gov.foresight.expect({ type: 'sale', start: 0, ...misspelt } as never)), 'ERR_FORELOCK_ARGUMENT')
  }
  // As one that was received.
  const received = { type: 'sale', id: 'm', start: 0, end: 0, scope: { workflow: 'web' }, key: 'k', message: 'm', received: 5 }
  await gov.foresight.expect(received)
  assert.is(await gov.foresight.cancel('m'), true)
})

both('bad questions are refused where they are asked', async gov => {
  isCoded(await rejection(gov.foresight.score({ lock: 5 as never })), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.foresight.demand({}, { horizon: 1 })), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.foresight.usage(undefined as never)), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.foresight.load(new Uint8Array(10))), 'ERR_FORELOCK_CORRUPT')
  for (const model of [5, 'model', '']) isCoded(await rejection(gov.foresight.register(model as never)), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.foresight.cancel(5 as never)), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.foresight.triggers(null as never)), 'ERR_FORELOCK_ARGUMENT')
  for (const none of [() => 'a', Symbol('a')]) {
    isCoded(await rejection(gov.foresight.score({ lock: none as never })), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(gov.foresight.demand({ workflow: none as never }, { horizon: 1 })), 'ERR_FORELOCK_ARGUMENT')
  }
  assert.is((await gov.foresight.status()).active, true)
})

both('what was learnt is carried over', async gov => {
  const workflow = gov.workflow('encode', { metering: false })
  for (let i = 0; i < 10; i++) await workflow.run(() => gov.advance(50))
  const saved = await gov.foresight.save()
  const other = virtual()
  await other.foresight.load(saved)
  assert.is(Math.round((await other.foresight.usage('encode')).duration?.expected ?? 0), 50)
  await other.close()
})

both('when it is stopped it can begin again, and then knows nothing', async gov => {
  gov.lock('a').tryAcquire()?.release()
  assert.is((await gov.foresight.status()).events, 2)
  await gov.foresight.stop()
  assert.equal([gov.foresight.active, (await gov.foresight.status()).active], [false, false])
  assert.is((await gov.foresight.anomalies()).length, 0)
  assert.equal([gov.foresight.active, (await gov.foresight.status()).events], [true, 0])
})

test('a live workflow that suddenly takes far more is told of, and what puts it right is called', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const told: Anomaly[] = []
  gov.foresight.start({ period: 10 })
  let isSlow = false
  gov.foresight.on('anomaly', anomaly => {
    told.push(anomaly)
    isSlow = false
  })
  const workflow = gov.workflow('encode', { metering: false, keep: ['pages'] })
  const random = randomNumbers(5)
  const run = (pages: number) =>
    workflow.run({ input: { pages } }, run =>
      run.action('render', () => simulated.work((isSlow ? 8 : 1) * 20 * pages * (0.95 + random() / 10)))
    )
  for (let i = 0; i < 150; i++) {
    void run(1 + (i % 8))
    await simulated.until()
  }
  told.length = 0
  isSlow = true
  void run(3)
  await simulated.until()
  gov.advance(20)
  await null
  assert.is(isSlow, false, 'nobody put it right')
  const durations = told.filter(({ resource }) => resource === 'duration')
  assert.equal([...new Set(durations.map(({ workflow, action }) => `${workflow} ${action ?? ''}`))].sort(), ['encode ', 'encode render'])
  for (const { value, high, severity } of durations) assert.ok(value > high && severity > 0.9)
  assert.equal(await gov.foresight.anomalies().then(all => all.slice(-told.length)), told)
  await gov.close()
})

test('a listener that throws is an uncaught exception of its own, and foresight goes on', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  gov.foresight.start({ period: 10 })
  const uncaught: Error[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => uncaught.push(error))
  gov.foresight.on('anomaly', ({ resource }) => {
    throw new Error(resource)
  })
  const workflow = gov.workflow('encode', { metering: false })
  const random = randomNumbers(5)
  for (let i = 0; i <= 100; i++) {
    void workflow.run(() => simulated.work((i === 100 ? 50 : 1) * 20 * (0.95 + random() / 10)))
    await simulated.until()
  }
  gov.advance(20)
  const anomalies = await gov.foresight.anomalies()
  await new Promise(setImmediate)
  process.removeAllListeners('uncaughtException')
  for (const listener of others) process.on('uncaughtException', listener)
  assert.equal([gov.foresight.active, uncaught.map(({ message }) => message)], [true, anomalies.map(({ resource }) => resource)])
  assert.ok(anomalies.length > 0)
  await gov.close()
})

test('a model of a user is asked in this thread as a function, and in another by the URL of a module', async () => {
  const file = join(folder, 'model.mjs')
  writeFileSync(
    file,
    `export default () => ({ name: 'seven', fit: () => true, predict: (values, length, out) => { out.fill(7); return true } })`
  )
  for (const thread of [false, true]) {
    const gov = virtual()
    gov.foresight.start({ thread })
    const seven = { name: 'seven', fit: () => true, predict: (_: unknown, __: number, out: Float64Array) => out.fill(7) !== undefined }
    await gov.foresight.register(thread ? pathToFileURL(file) : () => seven)
    const bucket = gov.bucket('b', { rate: 1_000 })
    for (let second = 0; second < 200; second++) {
      // Long runs of other numbers: nothing but the model itself knows that it ends at seven.
      bucket.tryTake(7)
      gov.advance(1_000)
      if (second % 50 === 0) await gov.foresight.status()
    }
    const { weights } = await gov.foresight.demand({ bucket: 'b' }, { horizon: 30_000 })
    assert.ok(weights.some(({ name }) => name === 'seven'))
    await gov.close()
  }
})

test('a function cannot go to another thread, and a module must make models', async () => {
  const gov = open()
  isCoded(await rejection(gov.foresight.register(() => ({}) as never)), 'ERR_FORELOCK_ARGUMENT')
  const file = join(folder, 'none.mjs')
  writeFileSync(file, 'export const nothing = 1')
  isCoded(await rejection(gov.foresight.register(pathToFileURL(file))), 'ERR_FORELOCK_ARGUMENT')
  assert.ok(await rejection(gov.foresight.register(pathToFileURL(join(folder, 'not-there.mjs')))))
  assert.is((await gov.foresight.status()).active, true)
  await gov.close()
})

test('options are checked before anything begins', async () => {
  const gov = virtual()
  for (const options of [7, { period: 0 }, { period: 'x' }, { thread: 1 }, { threads: true }]) {
    isCoded(
      thrown(() => gov.foresight.start(options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(gov.foresight.active, false)
  await gov.close()
  isCoded(
    thrown(() => gov.foresight.start()),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(await rejection(gov.foresight.score({ lock: 'a' })), 'ERR_FORELOCK_CLOSED')
})

test('one that learns is started again with the same options or none, and no other', async () => {
  const gov = virtual()
  gov.foresight.start({ period: 10 })
  gov.foresight.start()
  gov.foresight.start({ period: 10, thread: false, contention: true })
  for (const [option, given, stored] of [
    ['period', 20, 10],
    ['thread', true, false],
    ['contention', false, true]
  ]) {
    const refused = thrown(() => gov.foresight.start({ [option as string]: given }))
    isCoded(refused, 'ERR_FORELOCK_CONFIG')
    assert.equal([refused.option, refused.given, refused.stored], [option, given, stored])
  }
  await gov.foresight.stop()
  gov.foresight.start({ period: 20 })
  assert.is(thrown(() => gov.foresight.start({ period: 10 })).stored, 20)
  await gov.close()
})

test('an arena without room for telemetry has no foresight', async () => {
  const gov = virtual({ capacity: { telemetry: 0 } })
  isCoded(await rejection(gov.foresight.score({ lock: 'a' })), 'ERR_FORELOCK_CAPACITY')
  await gov.close()
})

test('a question under way when the governor closes is answered or refused, also before the thread has come', async () => {
  const gov = open()
  const asked = gov.foresight.anomalies().then(
    () => undefined,
    error => isCoded(error, 'ERR_FORELOCK_CLOSED')
  )
  await gov.close()
  await asked
})

test.run()
