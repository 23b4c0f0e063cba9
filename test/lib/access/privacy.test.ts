import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Privacy } from '../../../lib/access/privacy.js'
import { openMemoryStore } from '../../../lib/index.js'
import { dryPlace, lonePlace } from '../../../lib/shadow/places.js'
import { isCoded, thrown, virtual } from '../support.js'

const key = 'a key that is long enough'
const HOUR = 3_600_000

test('processes with the same key have the same hashes, and others do not', () => {
  const hash = new Privacy({ key }).hash('user', 'ada', 5)
  assert.is(new Privacy({ key: Buffer.from(key) }).hash('user', 'ada', 5), hash)
  assert.is.not(new Privacy({ key: `${key}!` }).hash('user', 'ada', 5), hash)
  assert.is.not(new Privacy({ key }).hash('user', 'bob', 5), hash)
  assert.not.match(hash, 'ada')
})

test('without a key the hashes are those of the process', () => {
  assert.is(new Privacy().hash('user', 'ada', 5), new Privacy().hash('user', 'ada', 5))
  assert.is.not(new Privacy().hash('user', 'ada', 5), new Privacy({ key }).hash('user', 'ada', 5))
})

test('after a rotation the same value has another hash', () => {
  const privacy = new Privacy({ key, rotateEvery: HOUR, elements: { 'invoice:': 'hash' } })
  const [hash, name] = [privacy.hash('user', 'ada', HOUR), privacy.element('invoice:42', HOUR)]
  assert.is(privacy.hash('user', 'ada', 2 * HOUR - 1), hash)
  assert.is(privacy.element('invoice:42', 2 * HOUR - 1), name)
  assert.is.not(privacy.hash('user', 'ada', 2 * HOUR), hash)
  assert.is.not(privacy.element('invoice:42', 2 * HOUR), name)
})

test('names of elements stay, are hashed or dropped by the longest prefix, and what no rule names is dropped', () => {
  const privacy = new Privacy({ key, elements: { 'invoice:': 'hash', 'invoice:shop:': 'keep', 'user:': 'drop', orders: 'keep' } })
  assert.match(privacy.element('invoice:42'), /^invoice:~[\w-]{22}$/)
  assert.equal(
    ['invoice:shop:7', 'user:ada', 'orders', 'letters'].map(name => privacy.element(name)),
    ['invoice:shop:7', 'user:*', 'orders', '*']
  )
  assert.equal(
    ['orders', 'letters'].map(name => new Privacy({ elements: { '': 'keep' } }).element(name)),
    ['orders', 'letters']
  )
})

test('rules that run dry are told apart, by the name that users know', () => {
  const privacy = new Privacy()
  assert.equal([privacy.element('a'), privacy.element(dryPlace('a')), privacy.element(lonePlace('a'))], ['a', 'shadow:a', 'shadow:a'])
  assert.is(new Privacy({ elements: { a: 'drop' } }).element(dryPlace('ada')), 'shadow:a*')
})

test('options that are none are refused, and a key is not in the message', () => {
  for (const privacy of [
    { key: 'short' },
    { key: 7 },
    { rotateEvery: 0 },
    { rotateEvery: Number.NaN },
    { elements: { a: 'hide' } },
    { elements: 'keep' },
    { salt: '' }
  ]) {
    const error = thrown(() => virtual({ privacy } as object))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.not.match(JSON.stringify([(error as Error).message, (error as { given?: unknown }).given]), 'short')
  }
})

test('what is not to be recorded is in no table of the history, nor in its roll-ups', async () => {
  const gov = virtual({ capacity: { telemetry: 4096 }, privacy: { key, elements: { 'invoice:': 'hash', 'user:': 'drop' } } })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6 })
  await recorder.begun
  const workflow = gov.workflow('bill', { metering: false, keep: ['rows'], hash: ['user'] })
  const input = { rows: 3, user: 'ada-secret', card: '4111-secret' }
  await workflow.run({ input }, async run => {
    const locks = [await run.lock('invoice:1-secret'), await run.lock('user:2-secret'), await run.lock('letter-3-secret')]
    gov.advance(5)
    for (const lock of locks) lock.release()
  })
  await recorder.drain()
  const tables = await Promise.all([store.select('events'), store.select('runs'), store.select('rollups')])
  assert.not.match(JSON.stringify(tables), 'secret')
  const [events, runs, rollups] = tables
  assert.equal(new Set(events.map(({ element }) => element.replace(/~.*/, '~'))), new Set(['invoice:~', 'user:*', '*']))
  assert.equal([runs[0]?.input?.rows, typeof runs[0]?.input?.user, runs[0]?.input?.card], [3, 'string', undefined])
  assert.ok(rollups.some(({ subject }) => subject === 'lock:user:*'))
  await gov.close()
  await store.close()
})

test('a tenant is forgotten by what was learnt of its runs', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', { metering: false })
  const run = (tenant: string, ms: number) => workflow.run({ tenant }, run => run.action(`of ${tenant}`, () => gov.advance(ms)))
  for (let i = 0; i < 5; i++) {
    await run('acme', 1000)
    await run('globex', 10)
  }
  assert.is(workflow.profile().duration?.max, 1000)
  gov.forget({ tenant: 'acme' })
  const { duration, actions, samples } = workflow.profile()
  assert.equal([duration?.max, samples, actions.map(({ name }) => name)], [10, 5, ['of globex']])
  await workflow.run(async run => {
    assert.is(run.forecast(1).samples, 5)
  })
  for (const whose of [undefined, {}, { tenant: 7 }, { tenant: 'acme', also: 1 }]) {
    isCoded(
      thrown(() => gov.forget(whose as { tenant: string })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
})

test.run()
