import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Anomaly, UsageWatch } from '../../../lib/foresight/usage-watch.js'
import { type RunRecord, Scorekeeper } from '../../../lib/index.js'
import { randomNumbers } from '../shadow/recorded-runs.js'

const BOOKED = { requests: 0, refused: 0, waited: 0, tokens: 0 }

function run(i: number, pages: number, factor = 1, given: Partial<RunRecord> = {}): RunRecord {
  const noise = 1 + (randomNumbers(i)() - 0.5) / 10
  return {
    id: `run-${i}`,
    parent: undefined,
    workflow: 'encode',
    type: 'encode',
    tier: 'standard',
    tenant: undefined,
    client: undefined,
    start: 1_000_000 + 1_000 * i,
    waited: 0,
    input: { pages },
    events: [],
    duration: 100 * pages * noise,
    outcome: 'success',
    usage: { wall: 100 * pages * noise, cpu: 50 * pages * noise, memory: 1e6 * pages * factor * noise },
    cost: undefined,
    booked: BOOKED,
    actions: [],
    ...given
  }
}

function watching(scores = new Scorekeeper()): [UsageWatch, Anomaly[]] {
  const told: Anomaly[] = []
  return [new UsageWatch(anomaly => told.push(anomaly), scores), told]
}

test('what a run takes is foretold from its input, in the units of pools', () => {
  const [watch] = watching()
  for (let i = 0; i < 100; i++) watch.ended(run(i, 1 + (i % 10)))
  const { cpu, memory, duration, network } = watch.predict({ workflow: 'encode', input: { pages: 8 } })
  const near = (value: number | undefined, wanted: number) => assert.ok(Math.abs((value ?? 0) / wanted - 1) < 0.1, `${value}, ${wanted}`)
  near(cpu?.expected, 500)
  near(memory?.expected, 8e6)
  near(duration?.expected, 800)
  assert.is(network, undefined)
})

test('an action is foretold by itself, from the input of its run', () => {
  const [watch] = watching()
  for (let i = 0; i < 50; i++) {
    const pages = 1 + (i % 10)
    const action = {
      position: 0,
      offset: 0,
      certifications: [],
      data: undefined,
      cost: undefined,
      booked: BOOKED,
      outcome: 'success' as const
    }
    watch.ended(run(i, pages, 1, { actions: [{ ...action, name: 'read', duration: 7 * pages, usage: {} }] }))
  }
  const expected = watch.predict({ workflow: 'encode', action: 'read', input: { pages: 5 } }).duration?.expected
  assert.ok(Math.abs((expected ?? 0) - 35) < 3, String(expected))
})

test('of runs that take as much as such runs do hardly any is told of, however large its input', () => {
  const [watch, told] = watching()
  for (let i = 0; i < 400; i++) watch.ended(run(i, i === 300 ? 10 : 1 + (i % 10)))
  // Three quantities of each of 400 runs.
  assert.ok(told.length <= 6, `${told.length} were told of`)
})

test('a jump is told of when it comes, with what was expected', () => {
  const [watch, told] = watching()
  for (let i = 0; i < 200; i++) watch.ended(run(i, 1 + (i % 10)))
  told.length = 0
  watch.ended(run(200, 4, 6))
  const [anomaly] = told
  assert.equal([told.length, anomaly?.workflow, anomaly?.resource, anomaly?.run], [1, 'encode', 'memory', 'run-200'])
  assert.ok(Math.abs((anomaly?.expected ?? 0) / 4e6 - 1) < 0.1)
  assert.ok((anomaly?.value ?? 0) > (anomaly?.high ?? 0) && (anomaly?.severity ?? 0) >= 0.9)
})

test('what was expected is scored by what came', () => {
  const scores = new Scorekeeper()
  const [watch] = watching(scores)
  for (let i = 0; i < 300; i++) watch.ended(run(i, 1 + (i % 10)))
  const memory = scores.scores().find(({ source }) => source.includes('memory'))
  assert.ok((memory?.scored ?? 0) > 250 && Math.abs((memory?.coverage ?? 0) - 0.9) < 0.08, String(memory?.coverage))
})

test('what failed, or was given up, teaches nothing', () => {
  const [watch] = watching()
  for (let i = 0; i < 50; i++) watch.ended(run(i, 3, 1, { outcome: i % 2 === 0 ? 'ignore' : 'drop' }))
  assert.equal(watch.predict({ workflow: 'encode' }), {})
})

test('a note of somebody else is passed over', () => {
  const [watch] = watching()
  const notes: unknown[] = [
    { actions: [] },
    { id: 3, workflow: '', actions: [] },
    { id: 'a', workflow: 'w', start: 'x', actions: [] },
    { id: 'a', workflow: 'w', start: 0, outcome: 'success', actions: [null, 7, { outcome: 'success', name: 5 }] },
    {
      id: 'a',
      workflow: 'w',
      start: 0,
      outcome: 'success',
      usage: { cpu: 'x', memory: -1, diskRead: {} },
      duration: Number.POSITIVE_INFINITY,
      input: 7,
      actions: []
    },
    { run: 'a', workflow: 'w', start: 0, actions: [{ outcome: 'success', name: 'x', usage: null, duration: null }] }
  ]
  for (const note of notes) watch.ended(note as RunRecord)
  assert.equal(watch.predict({ workflow: 'w' }), {})
})

test.run()
