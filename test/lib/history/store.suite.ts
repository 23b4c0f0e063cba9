import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BufferedStore } from '../../../lib/history/buffered.js'
import { BLOCK_ROWS, COLUMNS, type EventBlock, isText, newBlock, Words } from '../../../lib/history/event-block.js'
import { type EventRow, type RawTable, TABLE_NAMES } from '../../../lib/history/rows.js'
import { quantile, RELATIVE_ERROR } from '../../../lib/history/sketch.js'
import type { Grouping, HistoryStore, Source, StoreOptions } from '../../../lib/history/store.js'
import { historyOf, isForelockError } from '../../../lib/index.js'
import { isCoded, rejection, thrown } from '../support.js'
import { action, DAY, event, HOUR, predicted, rowsOf, run, workload } from './rows.js'

const RAW = TABLE_NAMES.filter(table => table !== 'rollups') as RawTable[]
/** What the workload has numbers of. */
const MEASURED: Record<Source, readonly string[]> = {
  runs: ['wall', 'waited', 'cpu', 'cost'],
  actions: ['wall', 'memory'],
  events: ['waited', 'held'],
  host: ['cpu', 'eventLoopDelay']
}
/** Nothing is flushed but by the test. */
const MANUAL = { flushInterval: Number.POSITIVE_INFINITY }

export interface Subject {
  /** an empty store */
  open(options: StoreOptions): Promise<HistoryStore>
  readonly hasSql: boolean
  /** what a NUL in a text comes back as */
  readonly nul: string
}

/** What every store has to do. */
export function conformance(test: Test, { open, hasSql, nul }: Subject): void {
  const withStore = async (body: (store: HistoryStore) => Promise<void>, options: StoreOptions = MANUAL) => {
    const store = await open(options)
    try {
      await body(store)
    } finally {
      await store.close()
    }
  }
  const filled = async (store: HistoryStore, seed = 1, count = 400) => {
    const rows = workload(seed, count)
    for (const table of ['runs', 'actions', 'events', 'host'] as const) store.append(table, rows[table] as never)
    await store.flush()
    return rows
  }

  test('a row comes back as it was appended, and what it did not have is absent, not zero', () =>
    withStore(async store => {
      for (const table of RAW) store.append(table, rowsOf(table))
      const { rows, waiting } = await store.flush()
      assert.equal([rows, waiting], [2 * RAW.length, 0])
      for (const table of RAW) assert.equal(await store.select(table), rowsOf(table), table)
    }))

  test('events that come by column are kept, rolled up and forgotten as rows are', () =>
    withStore(async store => {
      const { events } = workload(3, 5000)
      const odd = ['', 'a\u0000b', 'ü "\'|'].map((element, at) => event({ element, time: DAY + at, amount: 0, waited: 1 }))
      for (const rows of [events.slice(0, BLOCK_ROWS), events.slice(BLOCK_ROWS, 4000), events.slice(4000), odd])
        appendBlock(store, blockOf(rows))
      store.append('events', [event({ time: DAY - 1 })])
      appendBlock(store, blockOf([event({ tenant: 'initech' })]))
      appendBlock(store, blockOf([event({ tenant: 'initech' }), event({ tenant: 'globex', time: DAY - 2 })]))
      await store.forget({ tenant: 'initech' })
      const { rows, waiting } = await store.flush()
      assert.equal([rows, waiting], [5005, 0])
      const kept = odd.map(row => ({ ...row, element: row.element.replaceAll('\u0000', nul) }))
      const all = [...events, ...kept, event({ time: DAY - 1 }), event({ tenant: 'globex', time: DAY - 2 })]
      const key = (row: object) =>
        JSON.stringify(
          Object.entries(row)
            .filter(([, value]) => value !== undefined)
            .sort()
        )
      assert.equal((await store.select('events')).map(key).sort(), all.map(key).sort())
      for (const metric of ['waited', 'held']) {
        const grouping = { source: 'events', metric, by: ['workflow', 'subject', 'outcome', 'tenant'] } as const
        const counts = (groups: readonly { count: number }[]) => groups.map(group => [nameOf({ ...group }), group.count]).sort()
        assert.equal(counts(await store.grouped(grouping)), counts(await store.exact(grouping, [0.5])))
      }
    }))

  test('of events by column too no more wait than there is room for, and all of them are rolled up', () =>
    withStore(
      async store => {
        appendBlock(store, blockOf([1, 2, 3, 4, 5, 6].map(time => event({ time: DAY + time, waited: time }))))
        appendBlock(store, blockOf([7, 8, 9, 10, 11, 12, 13].map(time => event({ time: DAY + time, waited: time }))))
        assert.equal(store.health(), { degraded: null, buffered: 10, dropped: 3 })
        assert.is((await store.flush()).rows, 10)
        assert.equal(
          (await store.select('events')).map(({ waited }) => waited),
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        )
        assert.is((await store.grouped({ source: 'events', metric: 'waited' }))[0].count, 13)
      },
      { ...MANUAL, bufferRows: 10 }
    ))

  test('names may be of any text', () =>
    withStore(async store => {
      for (const name of ['', "'; DROP TABLE runs; --", '"', '|', '$1', 'é✓𝄞', 'a\nb', 'x'.repeat(5000), 'a:b', 'a\u0000b']) {
        const kept = name.replaceAll('\u0000', nul)
        store.append('runs', [run('1', { workflow: name, tenant: name, input: { [name]: name } })])
        await store.flush()
        assert.equal(await store.select('runs', { where: { workflow: kept } }), [
          run('1', { workflow: kept, tenant: kept, input: { [kept]: kept } })
        ])
        assert.is((await store.grouped({ source: 'runs', metric: 'wall', where: { workflow: kept } })).length, 1)
        assert.equal((await store.select('runs', { input: { [kept]: kept } })).length, 1)
      }
    }))

  test('what is no row is refused, and none of those with it is taken', () =>
    withStore(async store => {
      const bad: [RawTable, unknown][] = [
        ['nothing' as RawTable, run('1')],
        ['rollups' as RawTable, run('1')],
        ['constructor' as RawTable, run('1')],
        ['runs', null],
        ['runs', { ...run('1'), workflow: undefined }],
        ['runs', { ...run('1'), workflow: 7 }],
        ['runs', { ...run('1'), cpu: Number.NaN }],
        ['runs', { ...run('1'), cpu: null }],
        ['runs', { ...run('1'), cpuTime: 1 }],
        ['runs', { ...run('1'), input: 'text' }],
        ['runs', { ...run('1'), input: { a: 1n } }],
        ['runs', { ...run('1'), end: DAY - 1 }],
        ['runs', { ...run('1'), outcome: 'succes' }],
        ['runs', { ...run('1'), outcome: 'toString' }],
        ['actions', { ...action('1'), end: DAY - 0.5 }],
        ['actions', { ...action('1'), outcome: '' }],
        ['actions', { ...action('1'), labels: [1] }],
        ['events', { ...event(), time: Number.POSITIVE_INFINITY }]
      ]
      for (const [table, row] of bad) {
        const fit = table === 'actions' ? action('0') : run('0')
        const refused = thrown(() => store.append(table, [fit, row, fit] as never))
        assert.ok(isForelockError(refused, 'ERR_FORELOCK_ARGUMENT'), `${table} ${String(refused)}`)
      }
      assert.equal(await store.flush(), { rows: 0, waiting: 0 })
      assert.equal([await store.select('runs'), await store.select('actions')], [[], []])
      assert.equal(await store.grouped({ source: 'runs', metric: 'wall' }), [])
    }))

  test('a run may be over in the moment in which it began, with each outcome that there is', () =>
    withStore(async store => {
      const rows = ['success', 'ignore', 'drop'].map((outcome, at) => run(`${at}`, { start: DAY + at, end: DAY + at, outcome }))
      store.append('runs', rows)
      await store.flush()
      assert.equal(await store.select('runs'), rows)
    }))

  test('rows are found by time, columns and fields of their input, in order, and as many as asked for', () =>
    withStore(async store => {
      const all = Array.from({ length: 10 }, (_, i) =>
        run(`${i}`, { end: DAY + i * 10, workflow: i % 2 ? 'odd' : 'even', input: { size: i * 5, kind: 'x' } })
      )
      store.append('runs', [...all].reverse())
      await store.flush()
      const ids = async (selection: object) => (await store.select('runs', selection)).map(({ id }) => id).join('')
      assert.is(await ids({}), '0123456789')
      assert.is(await ids({ order: 'desc', limit: 3 }), '987')
      assert.is(await ids({ from: DAY + 30, to: DAY + 60 }), '345')
      assert.is(await ids({ where: { workflow: 'odd' }, limit: 2 }), '13')
      assert.is(await ids({ where: { id: ['4', '7', 'none'] } }), '47')
      assert.is(await ids({ where: { id: [] } }), '')
      assert.is(await ids({ where: { end: DAY + 20 } }), '2')
      assert.is(await ids({ input: { size: 35, kind: 'x' } }), '7')
      assert.is(await ids({ input: { size: '35', other: 1 } }), '')
      assert.is(await ids({ limit: 0 }), '')
      const bad = [
        { where: { colour: '1' } },
        { where: { input: 'x' } },
        { where: { id: 1 } },
        { limit: -1 },
        { order: 'up' },
        { from: Number.NaN }
      ]
      for (const selection of bad) await isRefused(() => store.select('runs', selection as never))
    }))

  test('questions that are none are refused before the database sees them', () =>
    withStore(async store => {
      const selections = [
        null,
        5,
        { colour: 1 },
        { where: null },
        { input: 5 },
        { input: { rows: {} } },
        { where: { workflow: 5 } },
        { from: '1' }
      ]
      for (const selection of selections) await isRefused(() => store.select('runs', selection as never))
      for (const where of [5, { workflow: 5 }, { tenant: {} }, { tenant: ['acme', 5] }]) {
        await isRefused(() => store.grouped({ source: 'runs', metric: 'wall', where: where as never }))
        await isRefused(() => store.exact({ source: 'runs', metric: 'wall', where: where as never }, [0.5]))
      }
      for (const quantiles of [0.5, [2], ['x']]) await isRefused(() => store.exact({ source: 'runs', metric: 'wall' }, quantiles as never))
      for (const whose of [undefined, null, {}, { tenant: 5 }]) await isRefused(() => store.forget(whose as never))
    }))

  test('roll-ups agree with the raw rows: counts and sums exactly, quantiles within their error, whatever they are grouped by', () =>
    withStore(async store => {
      for (const seed of [1, 2, 3]) await filled(store, seed, 300)
      const groupings: Omit<Grouping, 'source' | 'metric'>[] = [
        {},
        { by: ['workflow'] },
        { by: ['workflow', 'tenant'], every: HOUR },
        { by: ['subject', 'outcome'], where: { workflow: ['import', 'mail'] } },
        { every: 60_000, from: DAY + HOUR, to: DAY + 2 * HOUR, where: { tenant: 'acme' } },
        { every: 5_000, from: DAY + 5 * 60_000, to: DAY + 25 * 60_000 }
      ]
      for (const source of Object.keys(MEASURED) as Source[]) {
        for (const metric of MEASURED[source]) {
          for (const how of groupings) await agree(store, { source, metric, ...how })
        }
      }
    }))

  test('exact quantiles are those of the values in order', () =>
    withStore(async store => {
      const { runs } = await filled(store, 4)
      const cpu = runs.flatMap(row => (row.cpu === undefined ? [] : [row.cpu])).sort((a, b) => a - b)
      const wanted = [0, 0.25, 0.5, 0.9, 0.99, 1]
      const expected = wanted.map(q => cpu[Math.max(1, Math.ceil(q * cpu.length)) - 1])
      assert.equal(await store.exact({ source: 'runs', metric: 'cpu' }, wanted), [{ count: cpu.length, quantiles: expected }])
      assert.equal(await store.exact({ source: 'runs', metric: 'cpu', where: { workflow: 'none' } }, [0.5]), [])
    }))

  test('putting roll-ups together changes nothing but how many rows they take', () =>
    withStore(async store => {
      for (let i = 0; i < 6; i++) {
        store.append('runs', [run(`${i}`, { end: DAY + 100 + i, cpu: i }), run(`x${i}`, { end: DAY + HOUR, cpu: 1 })])
        await store.flush()
      }
      const how = { source: 'runs', metric: 'cpu', every: HOUR } as const
      const before = await sorted(store, how)
      const pieces = (await store.select('rollups')).length
      await store.rollUp()
      assert.equal(await sorted(store, how), before)
      assert.ok((await store.select('rollups')).length < pieces / 2)
      await store.rollUp()
      assert.equal(await sorted(store, how), before)
    }))

  test('roll-ups outlive the raw rows, for as long as their own resolution is kept', () =>
    withStore(async store => {
      await filled(store)
      const how = { source: 'runs', metric: 'wall', by: ['workflow'], every: HOUR } as const
      const before = await sorted(store, how)
      const now = DAY + 10 * HOUR
      const removed = await store.prune({ runs: { age: HOUR }, second: { age: HOUR }, minute: { rows: 0 } }, now)
      assert.is(removed.runs, 400)
      assert.equal(await store.select('runs'), [])
      assert.equal(await sorted(store, how), before)
      assert.equal(await store.grouped({ source: 'runs', metric: 'wall', every: 1000 }), [])
      assert.equal(await store.grouped({ source: 'runs', metric: 'wall', every: 60_000 }), [])
      assert.is((await store.select('actions')).length, 400)
    }))

  test('retention keeps what is young enough, the newest rows, and about as many bytes', () =>
    withStore(async store => {
      const ids = async () => (await store.select('runs')).map(({ id }) => Number(id))
      store.append(
        'runs',
        Array.from({ length: 2000 }, (_, i) => run(`${i}`, { end: DAY + i * 1000 }))
      )
      await store.flush()
      assert.is((await store.prune({ runs: { age: 1_500_000 } }, DAY + 2_000_000)).runs, 500)
      assert.is((await ids())[0], 500)
      assert.is((await store.prune({ runs: { rows: 1200 } })).runs, 300)
      assert.equal([(await ids())[0], (await ids()).length], [800, 1200])
      const { bytes } = (await store.size()).tables.runs
      await store.prune({ runs: { bytes: Math.floor(bytes / 2) } })
      const left = await ids()
      assert.ok(bytes === 0 || (left.length >= 590 && left.length <= 610), `${left.length}`)
      assert.is(left.at(-1), 1999)
      assert.equal(await store.prune({}), {})
      for (const bad of [{ rollups: {} }, { nothing: {} }, { runs: { age: -1 } }, { runs: { years: 1 } }]) {
        await isRefused(() => store.prune(bad as never))
      }
    }))

  test('a tenant that is forgotten is in no row and no roll-up, written or not', () =>
    withStore(async store => {
      const { runs } = await filled(store)
      const [{ count }] = await store.grouped({ source: 'runs', metric: 'wall', where: { tenant: 'globex' } })
      store.append('runs', [run('late', { tenant: 'acme' }), run('other', { tenant: 'globex' })])
      const removed = await store.forget({ tenant: 'acme' })
      assert.is(removed.runs, runs.filter(({ tenant }) => tenant === 'acme').length)
      assert.ok(removed.rollups! > 0)
      await store.flush()
      for (const table of ['runs', 'actions', 'events', 'rollups'] as const) {
        const rows = await store.select(table)
        assert.ok(rows.length > 0)
        assert.not.ok(
          rows.some(row => row.tenant === 'acme'),
          table
        )
      }
      assert.is((await store.grouped({ source: 'runs', metric: 'wall', where: { tenant: 'globex' } }))[0].count, count + 1)
      assert.is((await store.select('runs', { where: { id: 'other' } })).length, 1)
    }))

  test('what is exported as Parquet comes back from it, rows and roll-ups, in files that nobody else can read', () =>
    withStore(async store => {
      const folder = mkdtempSync(join(tmpdir(), 'forelock-parquet-'))
      try {
        for (const table of RAW) store.append(table, rowsOf(table))
        await filled(store, 5, 50)
        const how = { source: 'runs', metric: 'wall', by: ['workflow'], every: HOUR } as const
        const [runs, groups] = [await store.select('runs'), await sorted(store, how)]
        const written = await store.exportParquet(join(folder, 'out'))
        assert.is(written.runs, 52)
        assert.is(statSync(join(folder, 'out')).mode & 0o777, 0o700)
        for (const table of TABLE_NAMES) assert.is(statSync(join(folder, 'out', `${table}.parquet`)).mode & 0o777, 0o600)
        assert.is((await store.prune({ runs: { rows: 0 }, hour: { rows: 0 }, minute: { rows: 0 }, second: { rows: 0 } })).runs, 52)
        isCoded(await rejection(store.importParquet(folder)), 'ERR_FORELOCK_NOT_FOUND')
        assert.equal(await store.importParquet(join(folder, 'out')), written)
        assert.equal(await store.select('runs'), runs)
        assert.equal(await sorted(store, how), groups)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }))

  test('what finds no room before a flush is dropped, counted, and rolled up all the same', () =>
    withStore(
      async store => {
        store.append(
          'runs',
          Array.from({ length: 30 }, (_, i) => run(`${i}`))
        )
        assert.is(store.health().dropped, 20)
        assert.equal(await store.flush(), { rows: 10, waiting: 0 })
        assert.is((await store.select('runs')).length, 10)
        const [{ table, reason, rows }] = await store.select('losses')
        assert.equal({ table, reason, rows }, { table: 'runs', reason: 'buffer full', rows: 20 })
        assert.is((await store.grouped({ source: 'runs', metric: 'wall' }))[0].count, 30)
      },
      { ...MANUAL, bufferRows: 10 }
    ))

  test('rows are written without being asked, after the flush interval', () =>
    withStore(
      async store => {
        store.append('runs', [run('1')])
        while ((await store.select('runs')).length === 0) await new Promise(setImmediate)
        assert.is(store.health().buffered, 0)
      },
      { flushInterval: 1 }
    ))

  test('writing, asking and forgetting at the same time come one after the other', () =>
    withStore(async store => {
      const work: Promise<unknown>[] = []
      for (let i = 0; i < 20; i++) {
        store.append('runs', [run(`${i}`, { tenant: i % 2 ? 'acme' : 'globex' })])
        work.push(store.flush(), store.select('runs'), store.grouped({ source: 'runs', metric: 'wall' }), store.rollUp())
      }
      work.push(store.forget({ tenant: 'acme' }))
      await Promise.all(work)
      assert.is((await store.select('runs')).length, 10)
      assert.is((await store.grouped({ source: 'runs', metric: 'wall' }))[0].count, 10)
    }))

  test('predictions of running workflows are asked for by workflow and kind, with their mean score and coverage, and forgotten with their tenant', () =>
    withStore(async store => {
      store.append('estimates', [
        ...predicted('a', { tenant: 'acme', truth: 150, score: 20 }),
        ...predicted('b', { tenant: 'globex', truth: 40, score: 40 }),
        ...predicted('c', { workflow: 'report', truth: 90, score: 1 })
      ])
      await store.flush()
      const history = historyOf(store)
      assert.equal(await history.predictions({ workflow: 'import', kind: 'remaining' }), [
        { kind: 'remaining', subject: 'import', workflow: 'import', made: 2, known: 2, score: 30, within: 0.5 }
      ])
      assert.equal((await history.predictions()).map(({ kind, workflow, made }) => [kind, workflow, made]).sort(), [
        ['course', 'import', 2],
        ['course', 'report', 1],
        ['remaining', 'import', 2],
        ['remaining', 'report', 1]
      ])
      await store.forget({ tenant: 'globex' })
      const [{ made, score, within }] = await history.predictions({ workflow: 'import', kind: 'remaining' })
      assert.equal([made, score, within], [1, 20, 1])
    }))

  test('runs are asked for by workflow, type and tenant, the last with their actions in order', () =>
    withStore(async store => {
      const of = (id: string, end: number, more = {}) => run(id, { end: DAY + end, type: 'image', ...more })
      store.append('runs', [
        of('1', 1000),
        of('2', 2000, { tenant: 'acme', events: ['e'], parent: '1' }),
        of('3', 3000, { type: 'text' }),
        of('4', 500)
      ])
      store.append('actions', [
        action('2', { position: 1, start: DAY + 60, end: DAY + 90, labels: ['pci'] }),
        action('2', { position: 0, bytes: 10, transfers: 2, largest: 6, pattern: 'stream' }),
        action('3')
      ])
      await store.flush()
      const history = historyOf(store)
      const ids = async (options: object) => (await history.runs(options)).map(({ id }) => id)
      assert.equal(await ids({ workflow: 'import' }), ['4', '1', '2', '3'])
      assert.equal(await ids({ type: 'image', limit: 2 }), ['1', '2'])
      assert.equal(await ids({ from: DAY + 1000, to: DAY + 3000 }), ['1', '2'])
      assert.equal(await ids({ workflow: 'export' }), [])
      const [second] = await history.runs({ tenant: 'acme' })
      assert.equal([second?.type, second?.events, second?.parent, second?.duration], ['image', ['e'], '1', 2000])
      assert.equal(
        second?.actions.map(({ offset, duration, data, certifications }) => [offset, duration, data, certifications]),
        [
          [0, 40, { bytes: 10, transfers: 2, largest: 6, pattern: 'stream' }, []],
          [60, 30, undefined, ['pci']]
        ]
      )
      for (const options of [{ limit: -1 }, { colour: 1 }, null]) await isRefused(() => history.runs(options as never))
    }))

  test('curves of runs are asked for by workflow, the last first, and stay in rows as long as their runs do', () =>
    withStore(async store => {
      const curve = { times: [10, 20.5], cpu: [4, 9.25], memory: [1e6, 2e6] }
      const runs = [
        run('1', { end: DAY + 1, curve }),
        run('2', { end: DAY + 2 }),
        run('3', { end: DAY + 3, tenant: 'acme', curve: { times: [7] } }),
        run('4', { end: DAY + 4, workflow: 'report', curve })
      ]
      store.append('runs', runs)
      await store.flush()
      const history = historyOf(store)
      const about = ({ workflow, outcome, start, end }: (typeof runs)[0]) => ({ workflow, outcome, start, end })
      assert.equal(await history.curves({ workflow: 'import' }), [
        { run: '3', ...about(runs[2]), times: [7] },
        { run: '1', ...about(runs[0]), ...curve }
      ])
      const ids = async (asked: object) => (await history.curves(asked)).map(one => one.run)
      assert.equal(await ids({ limit: 1 }), ['4'])
      assert.equal(await ids({ to: DAY + 3 }), ['1'])
      assert.equal(await ids({ tenant: 'acme' }), ['3'])
      assert.equal(
        (await store.select('runs', { present: ['tenant'] })).map(({ id }) => id),
        ['3']
      )
      await isRefused(() => store.select('runs', { present: ['size' as never] }))
      await store.forget({ tenant: 'acme' })
      await store.prune({ runs: { rows: 2 } })
      assert.equal(await ids({}), ['4'])
    }))

  test('a closed store says so, and closing it again is nothing', async () => {
    const store = await open(MANUAL)
    const first = store.close()
    await first
    assert.is(store.close(), first)
    isCoded(
      thrown(() => store.append('runs', [])),
      'ERR_FORELOCK_CLOSED'
    )
    const calls = [
      () => store.flush(),
      () => store.select('runs'),
      () => store.grouped({ source: 'runs', metric: 'wall' }),
      () => store.exact({ source: 'runs', metric: 'wall' }, [0.5]),
      () => store.sql('SELECT 1'),
      () => store.rollUp(),
      () => store.prune({}),
      () => store.forget({ tenant: 'acme' }),
      () => store.exportParquet('x'),
      () => store.importParquet('x'),
      () => store.size()
    ]
    for (const call of calls) isCoded(await rejection(call()), 'ERR_FORELOCK_CLOSED')
  })

  test('an empty store answers with nothing', () =>
    withStore(async store => {
      assert.is(store.recovered, null)
      assert.equal(store.health(), { degraded: null, buffered: 0, dropped: 0 })
      assert.equal(await store.select('events'), [])
      assert.equal(await store.grouped({ source: 'host', metric: 'cpu', every: HOUR }), [])
      assert.equal(await store.exact({ source: 'events', metric: 'held' }, [0.5]), [])
      await store.rollUp()
      assert.is((await store.size()).tables.runs.rows, 0)
    }))

  if (hasSql) {
    test('SQL with bound parameters sees the columns in snake_case', () =>
      withStore(async store => {
        store.append('runs', [run('1', { diskRead: 512 }), run('2', { diskRead: 1 })])
        await store.flush()
        const rows = await store.sql('SELECT id, disk_read FROM runs WHERE disk_read > $1 AND workflow = $2', [100, 'import'])
        assert.equal(rows, [{ id: '1', disk_read: 512 }])
      }))

    test('SQL that may only read changes nothing, neither rows nor the transactions of who writes', () =>
      withStore(async store => {
        store.append('runs', [run('1')])
        await store.flush()
        const ask = (text: string, parameters: (string | number)[] = []) => store.sql(text, parameters, { readOnly: true })
        assert.equal(await ask('SELECT id FROM runs WHERE workflow = $1', ['import']), [{ id: '1' }])
        assert.equal(await ask('WITH these AS (SELECT id FROM runs) SELECT count(*) AS n FROM these'), [{ n: 1 }])
        const changes = [
          'DELETE FROM runs',
          'DROP TABLE runs',
          'CREATE TABLE mine (a integer)',
          'SELECT 1; DELETE FROM runs',
          'COMMIT; DELETE FROM runs'
        ]
        for (const text of changes) isCoded(await rejection(ask(text)), 'ERR_FORELOCK_ARGUMENT')
        for (const text of ['BEGIN', 'COMMIT', 'nonsense']) await ask(text).catch(error => assert.instance(error, Error))
        await isRefused(() => store.sql('SELECT 1', [], { readOnly: 'yes' as never }))
        store.append('runs', [run('2')])
        assert.equal(await store.flush(), { rows: 1, waiting: 0 })
        assert.equal(await ask('SELECT id FROM runs ORDER BY id'), [{ id: '1' }, { id: '2' }])
      }))

    test('SQL that is wrong rejects, and the store goes on', () =>
      withStore(async store => {
        for (const none of ['', ' ;', '-- SELECT 1', '/* nothing */']) {
          await isRefused(() => store.sql(none))
          await isRefused(() => store.sql(none, [], { readOnly: true }))
        }
        const failed = await store.sql('SELECT nothing FROM nowhere').catch(error => error)
        assert.instance(failed, Error)
        store.append('runs', [run('1')])
        assert.is((await store.flush()).rows, 1)
      }))
  } else {
    test('SQL is refused by a store that has none', () =>
      withStore(async store => {
        const refused = await store.sql('SELECT 1').catch(error => error)
        assert.ok(isForelockError(refused, 'ERR_FORELOCK_UNSUPPORTED'))
      }))
  }
}

/** By its promise, as whatever returns one; not at once. */
const isRefused = async (call: () => Promise<unknown>) => isCoded(await rejection(call()), 'ERR_FORELOCK_ARGUMENT')

const appendBlock = (store: HistoryStore, block: EventBlock) => (store as BufferedStore).appendBlock(block)

/** Rows as columns. */
function blockOf(rows: readonly EventRow[]): EventBlock {
  const words = new Words()
  const block = newBlock(words, rows.length)
  for (const [at, row] of rows.entries()) {
    for (const name of COLUMNS) {
      if (isText(name)) block[name][at] = words.of(row[name])
      else block[name][at] = row[name] ?? Number.NaN
    }
  }
  return block
}

const nameOf = ({ workflow, subject, outcome, tenant, time }: Record<string, unknown>) =>
  JSON.stringify([workflow, subject, outcome, tenant, time])

async function sorted(store: HistoryStore, grouping: Grouping) {
  const groups = await store.grouped(grouping)
  return groups
    .map(({ buckets, ...group }) => ({ ...group, buckets: [...buckets].sort(([a], [b]) => a - b) }))
    .map(group => ({ ...group, sum: Math.round(group.sum * 1e6) / 1e6 }))
    .sort((a, b) => nameOf(a as never).localeCompare(nameOf(b as never)))
}

/** The roll-ups and the rows give the same answer. */
async function agree(store: HistoryStore, grouping: Grouping): Promise<void> {
  const wanted = [0, 0.5, 0.9, 1]
  const groups = new Map((await store.grouped(grouping)).map(group => [nameOf(group as never), group]))
  const exact = await store.exact(grouping, wanted)
  const what = JSON.stringify(grouping)
  assert.is(groups.size, exact.length, what)
  assert.ok(exact.length > 0 || grouping.where !== undefined, what)
  for (const { count, quantiles, ...names } of exact) {
    const group = groups.get(nameOf(names))!
    assert.is(group?.count, count, what)
    assert.is(group.low, quantiles[0], what)
    assert.is(group.high, quantiles[3], what)
    for (const [at, q] of wanted.entries()) {
      const estimate = quantile(new Map(group.buckets), q, group.low, group.high)!
      assert.ok(
        Math.abs(estimate - quantiles[at]) <= RELATIVE_ERROR * 1.000001 * Math.abs(quantiles[at]),
        `${what}: ${estimate} for ${quantiles[at]}`
      )
    }
  }
}
