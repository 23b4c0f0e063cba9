import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openMemoryStore } from '../../../lib/history/memory.js'
import { type History, historyOf } from '../../../lib/history/queries.js'
import { isForelockError } from '../../../lib/index.js'
import { action, DAY, event, HOUR, run, workload } from './rows.js'

const MINUTE = 60_000

async function withHistory(fill: (history: History) => void, body: (history: History) => Promise<void>): Promise<void> {
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const history = historyOf(store)
  fill(history)
  await store.flush()
  await body(history)
  await store.close()
}

const isNear = (given: number, value: number) => assert.ok(Math.abs(given - value) <= 0.0101 * value, `${given} for ${value}`)

test('peaks are the intervals with most, and idle intervals count for the mean', () =>
  withHistory(
    ({ store }) => {
      const at = (minute: number, count: number, cpu: number) =>
        store.append(
          'runs',
          Array.from({ length: count }, () => run('1', { end: DAY + minute * MINUTE, cpu, workflow: minute === 4 ? 'report' : 'import' }))
        )
      at(0, 2, 1)
      at(1, 6, 1)
      at(4, 1, 50)
    },
    async history => {
      assert.equal(await history.peaks({ top: 2 }), [
        { time: DAY + MINUTE, value: 6, ratio: 6 / (9 / 5) },
        { time: DAY, value: 2, ratio: 2 / (9 / 5) }
      ])
      assert.equal((await history.peaks({ metric: 'cpu', top: 1 }))[0].time, DAY + 4 * MINUTE)
      assert.equal((await history.peaks({ metric: 'cpu', workflow: 'import' }))[0].value, 6)
      assert.equal(await history.peaks({ every: HOUR }), [{ time: DAY, value: 9, ratio: 1 }])
      assert.equal(await history.peaks({ from: DAY + HOUR }), [])
    }
  ))

test('what is frequent is told with its share, its outcomes and how long it took', () =>
  withHistory(
    ({ store }) => {
      for (let i = 1; i <= 6; i++) store.append('runs', [run(`${i}`, { wall: i * 10, outcome: i > 4 ? 'drop' : 'success' })])
      store.append('runs', [run('7', { workflow: 'mail', tenant: 'acme' }), run('8', { workflow: 'mail', end: DAY + HOUR })])
      store.append('actions', [action('1'), action('1', { action: 'write' }), action('2', { action: 'write', outcome: 'drop' })])
    },
    async history => {
      const [first, second] = await history.frequent()
      assert.equal([first.workflow, first.count, first.share, first.outcomes], ['import', 6, 0.75, { success: 4, drop: 2 }])
      assert.equal([first.wall.count, first.wall.total, first.wall.mean, first.wall.low, first.wall.high], [6, 210, 35, 10, 60])
      isNear(first.wall.p50, 30)
      assert.equal([second.workflow, second.count], ['mail', 2])
      assert.equal(
        (await history.frequent({ tenant: 'acme' })).map(({ workflow }) => workflow),
        ['mail']
      )
      assert.is((await history.frequent({ to: DAY + HOUR }))[1].count, 1)
      assert.equal(
        (await history.frequent({ actions: true })).map(({ workflow, action, count }) => [workflow, action, count]),
        [
          ['import', 'write', 2],
          ['import', 'parse', 1]
        ]
      )
    }
  ))

test('a bottleneck is what all together waited for longest, not what one request waited for longest', () =>
  withHistory(
    ({ store }) => {
      for (let i = 0; i < 10; i++) store.append('events', [event({ waited: 30, workflow: i < 8 ? 'import' : 'mail' })])
      store.append('events', [
        event({ kind: 'bucket', element: 'a:b', waited: 90 }),
        event({ event: 'refusal', waited: 10, workflow: 'mail' }),
        event({ event: 'request', waited: 1e6 }),
        event({ event: 'end', held: 5 }),
        event({ event: 'end', held: 7 })
      ])
    },
    async history => {
      const [lock, bucket] = await history.bottlenecks()
      assert.equal([lock.kind, lock.element, lock.waited, lock.share], ['lock', 'orders', 310, 310 / 400])
      assert.equal([lock.requests, lock.unserved, lock.wait.high, lock.hold?.total], [11, 1, 30, 12])
      assert.equal(lock.workflows, [
        { workflow: 'import', waited: 240 },
        { workflow: 'mail', waited: 70 }
      ])
      assert.equal([bucket.kind, bucket.element, bucket.waited, bucket.hold], ['bucket', 'a:b', 90, undefined])
    }
  ))

test('usage has what was measured, and nothing for what was not', () =>
  withHistory(
    ({ store }) => {
      for (let i = 1; i <= 100; i++)
        store.append('runs', [run(`${i}`, { cpu: i, memory: i === 50 ? 1000 : undefined, tenant: i > 50 ? 'acme' : undefined })])
      store.append('actions', [action('1', { cpu: 3, cost: 0 })])
    },
    async history => {
      const usage = await history.usage('import')
      assert.equal(Object.keys(usage), ['wall', 'cpu', 'memory'])
      assert.equal([usage.cpu.count, usage.cpu.total, usage.cpu.mean, usage.cpu.low, usage.cpu.high], [100, 5050, 50.5, 1, 100])
      for (const [name, value] of [
        ['p50', 50],
        ['p90', 90],
        ['p95', 95],
        ['p99', 99]
      ] as const)
        isNear(usage.cpu[name], value)
      assert.equal([usage.memory.count, usage.memory.p50], [1, 1000])
      assert.is((await history.usage('import', undefined, { tenant: 'acme' })).cpu.low, 51)
      const parse = await history.usage('import', 'parse')
      assert.equal([Object.keys(parse), parse.cost.total], [['wall', 'cpu', 'cost'], 0])
      assert.equal(await history.usage('none'), {})
    }
  ))

test('quantiles by workflow and hour are within one per cent of the exact ones', () =>
  withHistory(
    ({ store }) => store.append('runs', workload(9, 1000).runs),
    async history => {
      const [near, exact] = [await history.quantiles(), await history.quantiles({ exact: true })]
      assert.is(near.length, 9)
      for (const [at, { workflow, time, count, quantiles }] of exact.entries()) {
        assert.equal([near[at].workflow, near[at].time, near[at].count], [workflow, time, count])
        for (const [which, value] of quantiles.entries()) isNear(near[at].quantiles[which], value)
      }
      assert.equal((await history.quantiles({ by: [], every: 24 * HOUR, quantiles: [1], metric: 'cost' })).length, 1)
    }
  ))

test('questions that make no sense are refused', () =>
  withHistory(
    () => {},
    async history => {
      const bad: [keyof History, unknown[]][] = [
        ['peaks', [{ metric: 'colour' }]],
        ['peaks', [{ source: 'losses' }]],
        ['peaks', [{ every: 1500 }]],
        ['peaks', [{ top: 0 }]],
        ['frequent', [{ action: true }]],
        ['bottlenecks', [{ from: Number.NaN }]],
        ['usage', [7]],
        ['usage', ['import', 7]],
        ['quantiles', [{ quantiles: [2] }]],
        ['quantiles', [{ by: ['colour'] }]]
      ]
      for (const [name, args] of bad) {
        const refused = await (history[name] as (...args: unknown[]) => Promise<unknown>).apply(history, args).catch(error => error)
        assert.ok(isForelockError(refused, 'ERR_FORELOCK_ARGUMENT'), `${name} ${JSON.stringify(args)}: ${refused}`)
      }
    }
  ))

test.run()
