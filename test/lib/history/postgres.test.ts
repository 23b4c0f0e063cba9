import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPostgresSchema, openPostgresStore } from '../../../lib/history/postgres.js'
import { SCHEMA_VERSION } from '../../../lib/history/rows.js'
import { CURRENT } from '../../../lib/history/sql-backend.js'
import { isForelockError } from '../../../lib/index.js'
import { virtual } from '../support.js'
import { PostgresServer } from './postgres.server.js'
import { DAY, predicted, run, schemaOf } from './rows.js'
import { conformance } from './store.suite.js'

const MANUAL = { flushInterval: Number.POSITIVE_INFINITY }
const DAY_MS = 86_400_000

const test = suite('')
const binaries = PostgresServer.binaries()
let server: PostgresServer
let schemas = 0
const fresh = () => `history_${schemas++}`

test.before(() => {
  server = new PostgresServer(binaries as string)
})

test.after(() => server.remove())

conformance(test, { open: options => openPostgresStore(server.url, { ...options, schema: fresh() }), hasSql: true, nul: '\ufffd' })

test('rows lie in partitions by day, those of impossible days in one, and old days go as a whole', async () => {
  const schema = fresh()
  const store = await openPostgresStore(server.url, { ...MANUAL, schema })
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  for (let day = 0; day < 5; day++) store.append('runs', [run(`${day}`, { end: today - day * DAY_MS + 1000 })])
  store.append('runs', [run('ancient', { end: 5 }), run('future', { end: 1e15 })])
  await store.flush()
  const partitions = async () =>
    (await store.sql(`SELECT tableoid::regclass::text AS name, count(*) AS n FROM runs GROUP BY 1 ORDER BY 1`)).map(({ n }) => n)
  assert.equal(await partitions(), [1, 1, 1, 1, 1, 2])
  assert.is((await store.prune({ runs: { age: 2 * DAY_MS } }, today + 2000)).runs, 4)
  assert.equal(
    (await store.select('runs')).map(({ id }) => id),
    ['1', '0', 'future']
  )
  store.append('runs', [run('late', { end: today - 4 * DAY_MS })])
  assert.is((await store.flush()).rows, 1)
  await store.close()
})

test('a day whose rows came before its partition could be made goes on without one', async () => {
  const store = await openPostgresStore(server.url, { ...MANUAL, schema: fresh() })
  const end = Date.now()
  await store.sql(`INSERT INTO runs (id, workflow, start, "end", outcome) VALUES ('early', 'import', 1, $1, 'success')`, [end])
  for (let i = 0; i < 2; i++) {
    store.append('runs', [run(`${i}`, { end })])
    assert.is((await store.flush()).rows, 1)
  }
  assert.is((await store.select('runs')).length, 3)
  await store.close()
})

test('several hosts write into one history, and each is told of its own end only', async () => {
  const schema = fresh()
  const open = (writer: string) => openPostgresStore(server.url, { ...MANUAL, schema, writer })
  const [a, b] = await Promise.all([open('a'), open('b')])
  for (const store of [a, b]) for (let i = 0; i < 5; i++) store.append('runs', [run(`${i}`, { wall: 1, end: Date.now() })])
  await Promise.all([a.flush(), b.flush()])
  assert.is((await a.select('runs')).length, 10)
  assert.is((await b.grouped({ source: 'runs', metric: 'wall' }))[0].count, 10)
  await a.close()
  const again = await Promise.all([open('a'), open('b')])
  assert.is(again[0].recovered, null)
  assert.ok(again[1].recovered !== null)
  await Promise.all([b, ...again].map(store => store.close()))
})

test('while the server is away rows wait and roll-ups go on; when it is back all of it is written', async () => {
  const store = await openPostgresStore(server.url, { ...MANUAL, schema: fresh(), bufferRows: 10 })
  store.append('runs', [run('0')])
  await store.flush()
  server.stop()
  try {
    for (let i = 1; i <= 15; i++) {
      store.append('runs', [run(`${i}`)])
      assert.is((await store.flush()).rows, 0)
    }
    assert.instance(store.health().degraded, Error)
    assert.is(store.health().dropped, 5)
  } finally {
    server.start()
  }
  assert.equal(await store.flush(), { rows: 10, waiting: 0 })
  assert.is(store.health().degraded, null)
  assert.is((await store.select('runs')).length, 11)
  assert.is((await store.grouped({ source: 'runs', metric: 'wall' }))[0].count, 16)
  assert.equal(
    (await store.select('losses')).map(({ reason, rows }) => [reason, rows]),
    [['not writable', 5]]
  )
  await store.close()
})

test('an older schema is brought up to the newer one, and a later one is refused', async () => {
  const schema = fresh()
  const older = await openPostgresStore(server.url, { ...MANUAL, schema })
  older.append('runs', [run('1', { end: DAY })])
  await older.close()
  const energyUsed = { type: 'number', optional: true, since: SCHEMA_VERSION + 1 } as const
  const { runs } = CURRENT.tables
  const later = {
    version: SCHEMA_VERSION + 1,
    tables: { ...CURRENT.tables, runs: { ...runs, columns: { ...runs.columns, energyUsed } } }
  }
  const newer = await openPostgresSchema(server.url, { ...MANUAL, schema }, later)
  assert.equal(await newer.sql('SELECT id, energy_used FROM runs'), [{ id: '1', energy_used: null }])
  await newer.close()
  const refused = await openPostgresStore(server.url, { ...MANUAL, schema }).catch(error => error)
  assert.ok(isForelockError(refused, 'ERR_FORELOCK_VERSION'))
})

test('a database of schema 2 has what schema 3 brought once it is there', async () => {
  const schema = fresh()
  const before = await openPostgresSchema(server.url, { ...MANUAL, schema }, schemaOf(2))
  const estimate = { id: 'e', made: DAY, kind: 'wait', subject: 'lock:orders', tier: 'standard', value: 5 }
  before.append('estimates', [estimate])
  before.append('runs', [run('1', { end: DAY })])
  await before.close()
  const after = await openPostgresStore(server.url, { ...MANUAL, schema })
  after.append('estimates', predicted('p'))
  after.append('runs', [run('2', { end: DAY + 1, curve: { times: [1] } })])
  await after.flush()
  assert.equal((await after.select('estimates')).map(({ id, workflow, run }) => [id, workflow, run]).sort(), [
    ['e', undefined, undefined],
    ['p:course', 'import', 'rp'],
    ['p:remaining', 'import', 'rp']
  ])
  await after.close()
})

test('a database of schema 3 has what schema 4 brought, and finds it through an index', async () => {
  const schema = fresh()
  const before = await openPostgresSchema(server.url, { ...MANUAL, schema }, schemaOf(3))
  before.append('runs', [run('1', { end: DAY })])
  await before.close()
  const after = await openPostgresStore(server.url, { ...MANUAL, schema })
  after.append('runs', [run('2', { end: DAY + 1, type: 'image', events: ['e'] })])
  await after.flush()
  assert.equal(
    (await after.select('runs')).map(({ type, events }) => [type, events]),
    [
      [undefined, undefined],
      ['image', ['e']]
    ]
  )
  const indexes = await after.sql('SELECT indexname FROM pg_indexes WHERE schemaname = $1 AND indexname = $2', [schema, 'runs_by_type'])
  assert.is(indexes.length, 1)
  await after.close()
})

test('a workflow is found through an index, and time through BRIN', async () => {
  const store = await openPostgresStore(server.url, { ...MANUAL, schema: fresh() })
  await store.sql('SET enable_seqscan = off')
  const plan = async (where: string) => JSON.stringify(await store.sql(`EXPLAIN SELECT * FROM runs WHERE ${where}`))
  assert.match(await plan(`left(workflow, 100) IN (left('a', 100)) AND workflow IN ('a')`), 'workflow')
  assert.match(await plan('"end" < 5'), 'Bitmap')
  await store.close()
})

test('a recorder writes into it from a thread of its own', async () => {
  const gov = virtual()
  const recorder = gov.record({ postgres: server.url, schema: fresh() })
  await recorder.begun
  gov.lock('invoice').tryAcquire({ tenant: 'acme' })
  await recorder.drain()
  const rows = await recorder.store.select('events', { where: { element: 'invoice' } })
  assert.equal([rows.length, rows[0]?.tenant, recorder.store.kind], [1, 'acme', 'postgres'])
  await gov.close()
})

test('options that make no sense are refused', async () => {
  for (const bad of [{ schema: 'a"b' }, { schema: 'A' }, { port: 1 }]) {
    const refused = await openPostgresStore(server.url, bad as never).catch(error => error)
    assert.ok(isForelockError(refused, 'ERR_FORELOCK_ARGUMENT'))
  }
})

if (binaries === null) {
  const missing = suite('')
  missing.skip('PostgreSQL is not in /usr/lib/postgresql, where Debian puts it and `.ci/run` installs it')
  missing.run()
} else test.run()
