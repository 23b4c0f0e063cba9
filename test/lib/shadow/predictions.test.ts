import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Prediction, Run } from '../../../lib/index.js'
import { isCoded, macrotask, thrown } from '../support.js'
import { randomNumbers, stepsOf } from './recorded-runs.js'
import { Simulated } from './simulated.js'

const near = (value: number | undefined, wanted: number) =>
  assert.ok(Math.abs((value ?? Number.NaN) - wanted) < 1e-3, `${value} is not ${wanted}`)

async function listening(): Promise<[Simulated, Prediction[], () => void]> {
  const simulated = new Simulated()
  const told: Prediction[] = []
  return [simulated, told, simulated.gov.shadow.onPrediction(prediction => told.push(prediction))]
}

test('what was said of a run is told with what came, and its score, when the run is over', async () => {
  const [simulated, told, stop] = await listening()
  const { gov } = simulated
  const workflow = gov.workflow('w', { metering: false, tenant: 'acme' })
  for (let i = 0; i < 40; i++) {
    void simulated.run(workflow, [
      ['a', 100],
      [i % 4 === 0 ? 'c' : 'b', 100]
    ])
    await simulated.until()
  }
  void simulated.run(workflow, [
    ['a', 120],
    ['b', 80]
  ])
  await simulated.until(simulated.now + 50)
  gov.shadow.replica().at(0.1)
  assert.is(told.length, 0)
  await simulated.until()
  await macrotask()
  assert.is(told.length, 1)
  const [{ made, workflow: name, tenant, points, remaining, cameAfter, score }] = told as [Prediction]
  assert.equal([name, tenant, points.length], ['w', 'acme', 1])
  const [{ due, came, cameOver, actions }] = points as [Prediction['points'][0]]
  assert.equal(
    [came, cameOver, actions],
    [
      ['b'],
      false,
      [
        { name: 'b', probability: 0.75 },
        { name: 'c', probability: 0.25 }
      ]
    ]
  )
  near(due - made, 100)
  near(cameAfter, 150)
  near(remaining?.p50, 150)
  near(score.brier, 0.25 ** 2 + 0.25 ** 2)
  near(score.remaining?.p50, 0)
  stop()
  await gov.close()
})

test('what nobody listens for is not kept, and who has stopped is not told', async () => {
  const [simulated, told, stop] = await listening()
  const { gov } = simulated
  const workflow = gov.workflow('w', { metering: false })
  stop()
  void simulated.run(workflow, [['a', 10]])
  await simulated.until(simulated.now + 5)
  gov.shadow.replica().at(1)
  await simulated.until()
  await macrotask()
  assert.equal(told, [])
  isCoded(
    thrown(() => gov.shadow.onPrediction(7 as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  await gov.close()
})

test('scores fall as more is learnt', async () => {
  const [simulated, told] = await listening()
  const { gov } = simulated
  const workflow = gov.workflow('import', { metering: false })
  const random = randomNumbers(3)
  for (let i = 0; i < 150; i++) {
    let known: Run | undefined
    const steps = stepsOf(random)
    void workflow.run(async run => {
      known = run
      for (const [name, ms] of steps) await run.action(name, () => simulated.work(ms))
    })
    await simulated.until(simulated.now + 30)
    known?.forecast(0.5)
    await simulated.until()
  }
  await macrotask()
  assert.is(told.length, 150)
  const mean = (some: Prediction[]) => some.reduce((sum, { score }) => sum + score.brier, 0) / some.length
  assert.ok(mean(told.slice(100)) < 0.8 * mean(told.slice(0, 5)), `${mean(told.slice(0, 5))} then ${mean(told.slice(100))}`)
  assert.ok(told.slice(50).every(({ points, score }) => points.length === 20 && score.remaining !== undefined))
  await gov.close()
})

test.run()
