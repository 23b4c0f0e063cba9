import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDuckDbSchema, openDuckDbStore } from '../../../lib/history/duckdb.js'
import { SCHEMA_VERSION, TABLES } from '../../../lib/history/rows.js'
import type { Schema } from '../../../lib/history/sql-backend.js'
import { isForelockError, type VersionError } from '../../../lib/index.js'
import { isCoded, rejection, thrown, virtual } from '../support.js'
import { DAY, predicted, run, schemaOf } from './rows.js'
import { conformance } from './store.suite.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-duckdb-'))
let files = 0
const fresh = () => join(folder, `${files++}.duckdb`)

test.after(() => rmSync(folder, { recursive: true, force: true }))

conformance(test, { open: options => openDuckDbStore(fresh(), options), hasSql: true, nul: '\u0000' })

const MANUAL = { flushInterval: Number.POSITIVE_INFINITY }
const modeOf = (file: string) => statSync(file).mode & 0o777
const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
/** What was read has no columns without a value. */
const present = <T extends object>(row: T) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as T

test('nobody else can read the file or its log, however often the log is folded in, and nothing is left beside it', async () => {
  const file = fresh()
  const before = process.umask(0)
  try {
    for (let opened = 0; opened < 2; opened++) {
      const store = await openDuckDbStore(file, MANUAL)
      for (let i = 0; i < 3; i++) {
        store.append('runs', [run(`${i}`)])
        await store.flush()
        assert.equal([modeOf(file), modeOf(`${file}.wal`), modeOf(`${file}.tmp`)], [0o600, 0o600, 0o700])
      }
      await store.close()
      assert.is(modeOf(file), 0o600)
      chmodSync(file, 0o644)
    }
  } finally {
    process.umask(before)
  }
  const name = file.slice(folder.length + 1)
  assert.equal(
    readdirSync(folder).filter(found => found.startsWith(name) || found.startsWith('.')),
    [name]
  )
})

test('a store that was closed opens with all it had, and says that nothing is missing', async () => {
  const file = fresh()
  const first = await openDuckDbStore(file)
  first.append('runs', [run('1')])
  await first.close()
  const again = await openDuckDbStore(file)
  assert.is(again.recovered, null)
  assert.equal(await again.select('runs'), [run('1')])
  assert.equal(await again.select('losses'), [])
  await again.close()
})

test('SQL reaches the history only: no other file can be read or written by it, and no setting be changed', async () => {
  const [file, other] = [fresh(), join(folder, 'other.csv')]
  writeFileSync(other, 'a\n1\n')
  const store = await openDuckDbStore(file, MANUAL)
  const attempts = [
    `SELECT * FROM read_csv('${other}')`,
    `SELECT * FROM '${other}'`,
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM glob('${folder}/*')`,
    `SELECT * FROM read_text('${file}.tmp/../other.csv')`,
    `COPY runs TO '${join(folder, 'out.csv')}'`,
    `EXPORT DATABASE '${join(folder, 'out')}'`,
    `ATTACH '${join(folder, 'out.duckdb')}'`,
    'SET enable_external_access = true',
    `SET allowed_directories = ['/']`,
    'RESET lock_configuration',
    'INSTALL httpfs',
    'LOAD httpfs'
  ]
  for (const attempt of attempts) {
    const refused = await store.sql(attempt).catch(error => error)
    assert.match(String(refused), /Permission Error|has been locked/, attempt)
  }
  assert.equal(
    readdirSync(folder).filter(name => name.startsWith('out')),
    []
  )
  // Files of the store's own making still go out and come in, and nothing of them is left beside it.
  store.append('runs', [run('1')])
  await store.exportParquet(join(folder, 'export'))
  assert.is((await store.importParquet(join(folder, 'export'))).runs, 1)
  assert.is(modeOf(join(folder, 'export', 'runs.parquet')), 0o600)
  assert.equal([readdirSync(`${file}.tmp`), readdirSync(join(folder, 'export')).filter(name => name.startsWith('.'))], [[], []])
  await store.close()
  symlinkSync(folder, join(folder, 'link'))
  const linked = await openDuckDbStore(join(folder, 'link', '..', 'link', 'linked.duckdb'), MANUAL)
  await linked.exportParquet(join(folder, 'export'))
  assert.is((await linked.importParquet(join(folder, 'link', 'export'))).runs, 0)
  await linked.close()
})

test('of more rows than can be put in order the newest stay too, by when they were written', async () => {
  const store = await openDuckDbStore(fresh(), MANUAL)
  const [rows, kept] = [1_100_000, 1_050_000]
  await store.sql(`INSERT INTO events ("time", event, kind, element) SELECT i, 'grant', 'lock', 'a' FROM range(${rows}) AS made(i)`)
  assert.equal(await store.prune({ events: { rows: rows + 1 } }), { events: 0 })
  assert.equal(await store.prune({ events: { rows: kept } }), { events: rows - kept })
  assert.equal(await store.sql('SELECT min("time") AS oldest FROM events'), [{ oldest: rows - kept }])
  await store.close()
})

test('a file in a folder that is not there is an error that names the folder', async () => {
  const missing = join(folder, 'none')
  const refused = await openDuckDbStore(join(missing, 'history.duckdb')).catch(error => error)
  assert.ok(isForelockError(refused, 'ERR_FORELOCK_NOT_FOUND'), refused)
  assert.is(refused.resource, missing)
  assert.match(refused.message, JSON.stringify(missing))
})

test('what DuckDB keeps in memory is refused by the name of what there is for that, here and for a recorder, and makes no file', async () => {
  const gov = virtual()
  for (const path of [':memory:', ':memory:orders']) {
    for (const refused of [await rejection(openDuckDbStore(path)), thrown(() => gov.record({ duckdb: path }))]) {
      isCoded(refused, 'ERR_FORELOCK_ARGUMENT')
      assert.match(refused.message, 'openMemoryStore()')
    }
    assert.not(existsSync(path))
  }
  await gov.close()
  const named = await openDuckDbStore(join(folder, ':memory:'))
  await named.close()
  assert.ok(existsSync(join(folder, ':memory:')))
})

test('a second store on the same file is refused, and the first goes on', async () => {
  const file = fresh()
  const store = await openDuckDbStore(file, MANUAL)
  for (const path of [file, join(folder, '.', '..', folder.split('/').at(-1)!, file.slice(folder.length + 1))]) {
    const refused = await openDuckDbStore(path).catch(error => error)
    assert.ok(isForelockError(refused, 'ERR_FORELOCK_IN_USE'))
  }
  store.append('runs', [run('1')])
  assert.is((await store.flush()).rows, 1)
  await store.close()
  await (await openDuckDbStore(file)).close()
})

/** What a later version might look like: a column more, and a table more. */
const optionalNumber = { type: 'number', optional: true, since: SCHEMA_VERSION + 1 } as const
const LATER: Schema = {
  version: SCHEMA_VERSION + 1,
  tables: {
    ...TABLES,
    runs: { ...TABLES.runs, columns: { ...TABLES.runs.columns, energyUsed: optionalNumber } },
    probes: { time: 'time', keys: [], columns: { time: optionalNumber } }
  }
}

test('a file of an older schema is brought up to the newer one, with its rows and roll-ups', async () => {
  const file = fresh()
  const older = await openDuckDbStore(file, MANUAL)
  older.append('runs', [run('1', { cpu: 5 })])
  await older.close()
  for (let opened = 0; opened < 2; opened++) {
    const newer = await openDuckDbSchema(file, MANUAL, LATER)
    assert.equal(await newer.sql('SELECT id, cpu, energy_used FROM runs'), [{ id: '1', cpu: 5, energy_used: null }])
    assert.equal(await newer.sql('SELECT count(*) AS n FROM probes'), [{ n: 0 }])
    assert.is((await newer.grouped({ source: 'runs', metric: 'cpu' }))[0].count, 1)
    await newer.close()
  }
})

test('SQL takes a curve apart into its points', async () => {
  const store = await openDuckDbStore(fresh(), MANUAL)
  store.append('runs', [run('1', { curve: { times: [1, 2.5], cpu: [0.5, 2] } }), run('2')])
  await store.flush()
  const points = await store.sql(
    `SELECT id, unnest(CAST(curve->'$.times' AS DOUBLE[])) AS at, unnest(CAST(curve->'$.cpu' AS DOUBLE[])) AS cpu FROM runs WHERE curve IS NOT NULL`
  )
  assert.equal(points, [
    { id: '1', at: 1, cpu: 0.5 },
    { id: '1', at: 2.5, cpu: 2 }
  ])
  await store.close()
})

test('a file of schema 2, and its Parquet, have what schema 3 brought once it is there', async () => {
  const file = fresh()
  const before = await openDuckDbSchema(file, MANUAL, schemaOf(2))
  const estimate = { id: 'e', made: DAY, kind: 'wait', subject: 'lock:orders', tier: 'standard', value: 5 }
  before.append('estimates', [estimate])
  before.append('runs', [run('1', { end: DAY })])
  await before.flush()
  await before.exportParquet(join(folder, 'second'))
  await before.close()
  const after = await openDuckDbStore(file, MANUAL)
  after.append('estimates', predicted('p'))
  after.append('runs', [run('2', { end: DAY + 1, curve: { times: [1] } })])
  await after.flush()
  assert.equal(await after.select('runs'), [run('1', { end: DAY }), run('2', { end: DAY + 1, curve: { times: [1] } })])
  assert.equal((await after.select('estimates')).sort(byId), [estimate, ...predicted('p')].map(present).sort(byId))
  assert.equal(await after.sql("SELECT run FROM estimates WHERE workflow = 'import' AND kind = 'course'"), [{ run: 'rp' }])
  await after.importParquet(join(folder, 'second'))
  assert.is((await after.select('estimates', { where: { id: 'e' } })).length, 2)
  await after.close()
  const refused = await openDuckDbSchema(file, MANUAL, schemaOf(2)).catch(error => error)
  assert.ok(isForelockError(refused, 'ERR_FORELOCK_VERSION'))
})

test('a file of a later schema is refused, and stays as it is', async () => {
  const file = fresh()
  await (await openDuckDbSchema(file, MANUAL, LATER)).close()
  const refused = await openDuckDbStore(file).catch(error => error)
  assert.ok(isForelockError(refused, 'ERR_FORELOCK_VERSION'))
  const { stored, given } = refused as VersionError
  assert.equal([stored, given], [SCHEMA_VERSION + 1, SCHEMA_VERSION])
  const later = await openDuckDbSchema(file, MANUAL, LATER)
  assert.is(later.recovered, null)
  await later.close()
})

test('a file of schema 3, and its Parquet, have what schema 4 brought once it is there', async () => {
  const file = fresh()
  const before = await openDuckDbSchema(file, MANUAL, schemaOf(3))
  before.append('runs', [run('1', { end: DAY })])
  await before.flush()
  await before.exportParquet(join(folder, 'third'))
  await before.close()
  const after = await openDuckDbStore(file, MANUAL)
  const newer = run('2', { end: DAY + 1, type: 'image', parent: '1', events: ['e'] })
  after.append('runs', [newer])
  await after.flush()
  await after.importParquet(join(folder, 'third'))
  assert.equal(await after.select('runs'), [run('1', { end: DAY }), run('1', { end: DAY }), newer])
  await after.close()
})

test('what is no history is refused, and stays as it was: its mode, and nothing beside it', async () => {
  const file = fresh()
  writeFileSync(file, 'root:x:0:0', { mode: 0o644 })
  chmodSync(file, 0o644)
  assert.instance(await openDuckDbStore(file, MANUAL).catch(error => error), Error)
  assert.equal([modeOf(file), readFileSync(file, 'utf8')], [0o644, 'root:x:0:0'])
  assert.equal(
    readdirSync(folder).filter(name => name.startsWith(basename(file))),
    [basename(file)]
  )
})

test('Parquet of an older schema is read, what it lacks is absent', async () => {
  const older = await openDuckDbStore(fresh(), MANUAL)
  older.append('runs', [run('1', { end: DAY + 1 })])
  await older.exportParquet(join(folder, 'older'))
  await older.close()
  const newer = await openDuckDbSchema(fresh(), MANUAL, LATER)
  await newer.importParquet(join(folder, 'older'))
  assert.equal(await newer.select('runs'), [run('1', { end: DAY + 1 })])
  await newer.close()
})

test('columns that are absent for thousands of rows, and then are not, are neither mixed up nor filled in', async () => {
  const store = await openDuckDbStore(fresh(), MANUAL)
  const rows = Array.from({ length: 20_000 }, (_, i) =>
    run(`${i}`, {
      end: DAY + i,
      ...(Math.floor(i / 1500) % 2 ? { cpu: i, tenant: `tenant of ${i}`, input: { i } } : {}),
      ...(i % 3 ? {} : { memory: i })
    })
  )
  store.append('runs', rows)
  await store.flush()
  assert.equal(await store.select('runs'), rows)
  await store.close()
})

test('options that make no sense are refused', async () => {
  for (const bad of [{ memory: 1 }, { threads: 0 }, { flushInterval: 0 }, { bufferRows: -1 }, { writer: 1 }, { path: 'x' }]) {
    const refused = await openDuckDbStore(fresh(), bad as never).catch(error => error)
    assert.ok(isForelockError(refused, 'ERR_FORELOCK_ARGUMENT'), JSON.stringify(bad))
  }
})

test.run()
