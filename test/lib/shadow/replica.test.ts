import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, ClosedError, type ReplicaRun, type Run } from '../../../lib/index.js'
import { macrotask } from '../support.js'
import { randomNumbers, stepsOf } from './recorded-runs.js'
import { Simulated } from './simulated.js'

function stateOf({ over, between, actions }: ReplicaRun): string {
  const states = [...actions, { name: 'over', probability: over }, { name: 'between', probability: between }]
  return states.sort((a, b) => b.probability - a.probability)[0]?.name ?? ''
}

test('of runs that go on it tells the next action better than what runs do most often, judged by what came', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const workflow = gov.workflow('import', { metering: false })
  const random = randomNumbers(11)
  for (let i = 0; i < 120; i++) {
    void simulated.run(workflow, stepsOf(random))
    await simulated.until()
  }
  const replica = gov.shadow.replica()
  const said: { id: string; due: number; state: string }[] = []
  const truths = new Map<string, (at: number) => string>()
  workflow.on('run', ({ id, start, duration, actions }) => {
    truths.set(id, at => {
      const offset = at - start
      if (offset >= duration) return 'over'
      return actions.find(action => action.offset <= offset && offset < action.offset + action.duration)?.name ?? 'between'
    })
  })
  for (let i = 0; i < 60; i++) {
    for (let many = 0; many < 4; many++) void simulated.run(workflow, stepsOf(random))
    await simulated.until(simulated.now + 20 + 200 * random())
    const { time, runs } = replica.at(0.1)
    for (const run of runs) said.push({ id: run.id, due: time, state: stateOf(run) })
    await simulated.until()
  }
  await macrotask()
  const came = said.map(({ id, due }) => truths.get(id)?.(due) ?? 'nothing')
  const hits = said.filter(({ state }, i) => state === came[i]).length / said.length
  const most = Math.max(...[...new Set(came)].map(state => came.filter(one => one === state).length)) / said.length
  assert.ok(said.length > 100, `${said.length}`)
  assert.ok(hits > 1.25 * most, `${hits} against ${most}`)
  await gov.close()
})

test('it tells what runs will hold, by the names that they hold now', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const machine = gov.pool('machine', { capacity: { cpu: 8 } })
  const workflow = gov.workflow('album', { metering: false, needs: { pool: [machine, { cpu: 2 }] } })
  const album = (name: string) =>
    workflow.run(async run => {
      await run.action('read', async action => {
        await action.lock(name)
        await simulated.work(10)
      })
      await run.action('write', async action => {
        await run.lock('index')
        await action.allocate(machine, { cpu: 1 })
        await simulated.work(10)
      })
    })
  for (let i = 0; i < 30; i++) {
    const ran = album(`album:${i}`)
    await simulated.until()
    await ran
  }
  const ran = album('album:mine')
  await simulated.until(simulated.now + 5)
  const replica = gov.shadow.replica()
  const heldIn = (ms: number) => replica.at(ms / 1000).runs[0]?.holds.map(({ kind, name, amounts }) => [kind, name, amounts])
  const units = ['pool', 'machine', { cpu: 2 }]
  assert.equal(heldIn(0), [units, ['lock', 'album:mine', undefined]])
  assert.equal(heldIn(3), [units, ['lock', 'album:mine', undefined]])
  assert.equal(heldIn(8), [
    ['pool', 'machine', { cpu: 3 }],
    ['lock', 'index', undefined]
  ])
  assert.equal(heldIn(20), [])
  assert.equal(gov.inspect('index')[0]?.holders ?? [], [], 'nothing was executed')
  await simulated.until()
  await ran
  assert.equal(replica.at(0).runs, [])
  await gov.close()
})

test('a run tells the curve of what it will use, and of a run that is over nothing is to come', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const workflow = gov.workflow('w', { metering: false })
  let known: Run | undefined
  const once = (ms: number) =>
    workflow.run(async run => {
      known = run
      await run.action('a', () => simulated.work(ms))
    })
  for (let ms = 1; ms <= 40; ms++) {
    void once(ms)
    await simulated.until()
  }
  void once(100)
  await simulated.until(simulated.now + 10)
  assert.ok(known !== undefined)
  const { run, points, remaining, samples, likeness } = known.forecast(0.04)
  assert.equal([run, likeness, samples], [known?.id, 'path', 30])
  assert.equal(remaining, { p05: 1, p50: 15, p95: 30 })
  assert.equal([points.length, points[0]?.in, points[19]?.in], [20, 2, 40])
  assert.ok(points.every(({ over }, i) => i === 0 || over >= (points[i - 1]?.over ?? 1)))
  await simulated.until()
  assert.equal([known?.forecast(1).points, known?.forecast(1).remaining], [[], { p05: 0, p50: 0, p95: 0 }])
  await gov.close()
})

test('what was said of a workflow beforehand stands for its runs until there are any', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const workflow = gov.workflow('given', { metering: false, profile: { duration: 100, requirements: { cpu: 50 } } })
  const ran = workflow.run(() => simulated.work(100))
  await simulated.until(simulated.now + 40)
  const [run] = gov.shadow.replica().at(0.01).runs
  assert.equal([run?.remaining?.p50, Math.round(run?.usage.cpu?.p50 ?? 0)], [60, 500])
  await simulated.until()
  await ran
  await gov.close()
})

test('runs that failed tell where runs fail', async () => {
  const simulated = new Simulated()
  const { gov } = simulated
  const workflow = gov.workflow('fails', { metering: false })
  const once = async (fails: boolean) =>
    workflow.run(async run => {
      await run.action('a', () => simulated.work(10))
      if (fails) throw new RangeError('half way')
      await run.action('b', () => simulated.work(10))
    })
  for (let i = 0; i < 40; i++) {
    const ran = once(i % 4 === 0).then(
      () => 'done',
      error => error.message
    )
    await simulated.until()
    assert.is(await ran, i % 4 === 0 ? 'half way' : 'done')
  }
  const ran = once(false)
  await simulated.until(simulated.now + 5)
  const [run] = gov.shadow.replica().at(0.01).runs
  assert.equal([run?.over, run?.actions], [0.25, [{ name: 'b', probability: 0.75 }]])
  await simulated.until()
  await ran
  await gov.close()
})

test('seconds that are none are refused, and so is a governor that is closed', async () => {
  const { gov } = new Simulated()
  const replica = gov.shadow.replica()
  for (const seconds of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1' as unknown as number]) {
    assert.throws(
      () => replica.at(seconds),
      (error: unknown) => error instanceof ArgumentError
    )
  }
  await gov.close()
  assert.throws(
    () => replica.at(1),
    (error: unknown) => error instanceof ClosedError
  )
})

test.run()
