import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type GuardedHistory, type HistoryStore, openDuckDbStore, openHistory, openMemoryStore, type Policy } from '../../../lib/index.js'
import { isCoded, rejection } from '../support.js'

const T = 1_700_000_000_000

async function filled(): Promise<HistoryStore> {
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const run = (id: string, tenant: string, wall: number) =>
    ({ id, workflow: 'w', tenant, client: 'c', start: T, end: T + wall, outcome: 'success', wall, input: { secret: 1 } }) as const
  store.append('runs', [{ ...run('1', 'acme', 10), curve: { times: [10] } }, run('2', 'acme', 20), run('3', 'globex', 900)])
  store.append('host', [{ time: T, cpu: 1 }])
  await store.flush()
  return store
}

async function as(role: string, policy?: Policy): Promise<[GuardedHistory, HistoryStore]> {
  const store = await filled()
  return [await openHistory(store, { as: role, who: 'ada', policy }), store]
}

async function refused(asked: Promise<unknown>): Promise<void> {
  isCoded(await rejection(asked), 'ERR_FORELOCK_ACCESS')
}

test('a viewer sees how things go, but no single run, and nothing by tenant', async () => {
  const [history] = await as('viewer')
  assert.is((await history.usage('w')).wall?.count, 3)
  assert.is((await history.frequent())[0]?.count, 3)
  assert.is((await history.quantiles()).length, 1)
  await refused(history.select('runs'))
  await refused(history.curves())
  await refused(history.quantiles({ exact: true }))
  await refused(history.quantiles({ by: ['tenant'] }))
  await refused(history.usage('w', undefined, { tenant: 'acme' }))
  await refused(history.sql('SELECT 1'))
  await refused(history.forget({ tenant: 'acme' }))
})

test('an operator sees rows, but not whose they are nor what they were about, and cannot ask for it either', async () => {
  const [history] = await as('operator')
  const [row] = await history.select('runs')
  assert.is(row?.wall, 10)
  for (const hidden of ['tenant', 'client', 'input']) assert.not.ok(Object.hasOwn(row ?? {}, hidden), hidden)
  await refused(history.select('runs', { where: { tenant: 'acme' } }))
  await refused(history.select('runs', { input: { secret: 1 } }))
  await refused(history.select('runs', { present: ['tenant'] }))
  isCoded(await rejection(history.select('runs', { present: 7 as never })), 'ERR_FORELOCK_ARGUMENT')
  assert.equal(
    (await history.curves()).map(({ run, times }) => [run, times]),
    [['1', [10]]]
  )
  await refused(history.curves({ tenant: 'acme' }))
  await refused(history.select('audit'))
  await refused(history.exportParquet('/nowhere'))
  assert.ok((await history.quantiles({ exact: true })).length > 0)
})

test('arguments that are none are refused as such, whatever the role, and are in the audit', async () => {
  const [history, store] = await as('admin')
  const calls = [
    () => history.peaks(null as never),
    () => history.usage('w', undefined, 5 as never),
    () => history.quantiles(null as never),
    () => history.quantiles({ where: 5 as never }),
    () => history.quantiles({ by: 'tenant' as never }),
    () => history.quantiles({ exact: 'yes' as never }),
    () => history.select('runs', null as never),
    () => history.select('runs', { where: 5 as never }),
    () => history.forget(undefined as never)
  ]
  for (const call of calls) isCoded(await rejection(call()), 'ERR_FORELOCK_ARGUMENT')
  await history.close()
  assert.is((await store.select('audit')).filter(({ action }) => action.startsWith('failed')).length, calls.length)
  await store.close()
})

test('SQL at the door changes nothing: not even an admin can take back what the audit says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-door-'))
  const file = join(folder, 'history.duckdb')
  try {
    isCoded(await rejection(openHistory(file, { as: 'admin' })), 'ERR_FORELOCK_NOT_FOUND')
    assert.not.ok(existsSync(file), 'who reads makes no history')
    await (await openDuckDbStore(file)).close()
    const history = await openHistory(file, { as: 'admin', who: 'root' })
    assert.equal(await history.sql('SELECT count(*) AS n FROM runs'), [{ n: 0 }])
    isCoded(await rejection(history.sql('DELETE FROM audit')), 'ERR_FORELOCK_ARGUMENT')
    await history.close()
    const again = await openHistory(file, { as: 'admin', who: 'root' })
    assert.equal(
      (await again.select('audit')).map(({ action, subject }) => [action, subject]),
      [
        ['sql', 'SELECT count(*) AS n FROM runs'],
        ['failed sql', 'DELETE FROM audit']
      ]
    )
    await again.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an admin may do everything', async () => {
  const [history, store] = await as('admin')
  assert.equal((await history.select('runs', { where: { tenant: 'acme' } })).length, 2)
  assert.is((await history.forget({ tenant: 'acme' })).runs, 2)
  assert.is((await store.select('runs')).length, 1)
  assert.ok(await history.prune({ host: { rows: 0 } }))
})

test('a role of one tenant sees that one only, in rows and in roll-ups', async () => {
  const [history] = await as('customer', { customer: { may: ['summaries', 'exact', 'select'], tenant: 'acme' } })
  assert.is((await history.usage('w')).wall?.count, 2)
  assert.is((await history.usage('w', undefined, { tenant: 'acme' })).wall?.count, 2)
  assert.equal(
    (await history.select('runs')).map(({ id }) => id),
    ['1', '2']
  )
  assert.equal(
    (await history.select('runs', { where: { tenant: 'globex' } })).map(({ id }) => id),
    ['1', '2']
  )
  assert.is((await history.quantiles({ exact: true }))[0]?.count, 2)
  await refused(history.usage('w', undefined, { tenant: 'globex' }))
  await refused(history.quantiles({ where: { tenant: 'globex' } }))
  await refused(history.select('host'))
  await refused(history.sql('SELECT * FROM runs'))
})

test('a table that a role does not have is refused', async () => {
  const [history] = await as('sre', { sre: { may: ['select'], tables: ['host'] } })
  assert.is((await history.select('host')).length, 1)
  await refused(history.select('runs'))
  await refused(history.curves())
})

test('runs are for who may see their ids and their times', async () => {
  for (const hidden of ['id', 'start', 'end', 'run']) {
    const [history] = await as('sre', { sre: { may: ['select'], hidden: [hidden] } })
    await refused(history.runs())
  }
  const [history] = await as('sre', { sre: { may: ['select'], hidden: ['workflow'] } })
  assert.is((await history.runs()).length, 3)
})

test('each read and each refusal is in the audit, with who, as what, and how many rows', async () => {
  const [history, store] = await as('operator')
  await history.select('runs')
  await refused(history.sql('SELECT 1'))
  await rejection(history.quantiles({ metric: 'dreams' }))
  await history.close()
  const audit = await store.select('audit')
  assert.equal(
    audit.map(({ who, role, action, subject, rows }) => [who, role, action, subject, rows]),
    [
      ['ada', 'operator', 'select', 'runs', 3],
      ['ada', 'operator', 'refused sql', 'SELECT 1', undefined],
      ['ada', 'operator', 'failed summaries', 'quantiles', undefined]
    ]
  )
})

test('a role or a policy that is none is refused before anything is opened', async () => {
  const store = await filled()
  const wrong: [string, unknown][] = [
    ['nobody', undefined],
    ['toString', undefined],
    ['a', { a: { may: ['fly'] } }],
    ['a', { a: { may: 'select' } }],
    ['a', { a: { may: [], tables: ['dreams'] } }],
    ['a', { a: { may: [], hidden: ['dreams'] } }],
    ['a', { a: { may: [], colour: 1 } }],
    ['a', { a: 1 }]
  ]
  for (const [role, policy] of wrong) isCoded(await rejection(openHistory(store, { as: role, policy } as never)), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(openHistory('/nowhere/at/all.duckdb', { as: 'nobody' })), 'ERR_FORELOCK_ARGUMENT')
})

test.run()
