import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalWatch } from '../../../lib/foresight/local-watch.js'
import { open, type Workflow } from '../../../lib/index.js'
import { joinArena } from '../../../lib/open.js'
import { isCoded, rejection, virtual } from '../support.js'

const quiet = { metering: false } as const

test('it looks at times of the arena, unasked', async () => {
  const gov = virtual({ capacity: { telemetry: 64 } })
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  for (let i = 0; i < 100; i++) {
    gov.lock('a').tryAcquire()?.release()
    gov.advance(50)
  }
  // More than its ring holds at once.
  const { events, lost } = await watch.ask('status')
  assert.equal([events, lost], [200, 0])
  await watch.stop()
  session.leave()
  await gov.close()
})

test('whether it leads is said without reading what has come meanwhile', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  let drained = 0
  const binding = session.binding as { drainRecords(reader: number, into: Uint8Array): number }
  const drain = binding.drainRecords.bind(binding)
  binding.drainRecords = (reader, into) => {
    drained++
    return drain(reader, into)
  }
  assert.is(await watch.ask('leads'), undefined, 'it does not plan')
  assert.is(drained, 0)
  await watch.ask('status')
  assert.ok(drained > 0)
  await watch.stop()
  session.leave()
  await gov.close()
})

test('what goes wrong while it looks stops it, and is told', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const told: unknown[] = []
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: error => void told.push(error) })
  const broken = new Error('broken')
  ;(session.binding as { drainRecords: unknown }).drainRecords = () => {
    throw broken
  }
  gov.advance(100)
  assert.equal(told, [broken])
  isCoded(await rejection(watch.ask('status')), 'ERR_FORELOCK_CLOSED')
  session.leave()
  await gov.close()
})

test('when its session has left it answers no more', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  session.leave()
  isCoded(await rejection(watch.ask('status')), 'ERR_FORELOCK_CLOSED')
  await watch.stop()
  await gov.close()
})

test('a tenant that is to be forgotten is in no model of foresight any more, whoever said so', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  const [tight, shared] = [gov.workflow('tight', quiet), gov.workflow('shared', quiet)]
  const ask = async (workflow: Workflow, tenant: string) => {
    const held = tenant === 'acme' ? gov.lock('a').tryAcquire() : null
    const waits = gov.lock('a').acquire({ tenant })
    gov.advance(20)
    held?.release()
    ;(await waits).release()
    await workflow.run({ tenant }, () => gov.advance(10))
  }
  for (let i = 0; i < 12; i++) {
    await ask(tight, 'acme')
    await ask(shared, 'globex')
    await watch.ask('demand', { tenant: 'acme' }, { horizon: 100 })
  }
  await watch.ask('expect', { type: 'sale', id: 'sale', start: 1e12, scope: { tenant: 'acme' } })
  const known = async (tenant: string) => {
    const { quantiles } = await watch.ask('demand', { tenant }, { horizon: 100, levels: [0.9] })
    const { probability } = await watch.ask('contention', { needs: [{ lock: 'b' }], tenant })
    return { requests: quantiles[0]?.[0] ?? 0, probability }
  }
  const scored = async () => (await watch.ask('accuracy')).filter(({ source }) => source.includes('acme')).length
  const runs = async (workflow: string) => (await watch.ask('usage', workflow, undefined, undefined)).duration?.samples ?? 0
  const stranger = await known('nobody')
  const [acme, globex] = [await known('acme'), await known('globex')]
  assert.ok(acme.requests > stranger.requests && acme.probability > stranger.probability, 'there is something to forget')
  assert.ok((await scored()) > 0 && (await runs('tight')) > 0)
  // Told after the last look, and before the call; in no time, so that what is foretold of others is the same after it.
  await tight.run({ tenant: 'acme' }, () => {})
  other.forget({ tenant: 'acme' })
  assert.equal(await known('acme'), await known('nobody'))
  assert.equal([await scored(), await runs('tight'), await watch.ask('cancel', 'sale')], [0, 0, false])
  assert.is((await known('globex')).requests, globex.requests)
  assert.ok((await runs('shared')) > 0)
  await watch.stop()
  session.leave()
  await other.close()
  await gov.close()
})

test.run()
