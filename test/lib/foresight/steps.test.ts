import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Steps } from '../../../lib/foresight/steps.js'

const told = (steps: Steps, now: number) => {
  const { first, values } = steps.until(now)
  return [first, ...values]
}

test('values of a step are added up, and steps of which nothing was told are 0', () => {
  const steps = new Steps(100, 10, 1_000, 'sum')
  steps.add(1_010, 1)
  steps.add(1_090, 2)
  steps.add(1_250, 4)
  assert.equal(told(steps, 1_400), [10, 3, 0, 4, 0])
})

test('the step that goes on is not among those that are over', () => {
  const steps = new Steps(100, 10, 1_000, 'sum')
  steps.add(1_110, 1)
  assert.equal(told(steps, 1_199), [10, 0])
  assert.equal(told(steps, 1_200), [10, 0, 1])
})

test('of a level the most of a step counts', () => {
  const steps = new Steps(100, 10, 0, 'max')
  for (const level of [3, 7, 5]) steps.add(50, level)
  assert.equal(told(steps, 100), [0, 7])
})

test('the last steps are kept, and what comes for one before them is left out', () => {
  const steps = new Steps(1, 4, 0, 'sum')
  for (let at = 0; at < 10; at++) steps.add(at, at)
  steps.add(5, 100)
  steps.add(7, 0.5)
  assert.equal(told(steps, 10), [6, 6, 7.5, 8, 9])
})

test('it grows up to what is kept, and loses nothing by that', () => {
  const steps = new Steps(1, 1_000, 7, 'sum')
  for (let at = 7; at < 807; at++) steps.add(at, at)
  const [first, ...values] = told(steps, 807)
  assert.is(first, 7)
  assert.equal(
    values,
    Array.from({ length: 800 }, (_, i) => 7 + i)
  )
})

test('a clock that leaps leaves what was before behind', () => {
  const steps = new Steps(1, 4, 0, 'sum')
  steps.add(1, 1)
  steps.add(1e12, 2)
  assert.equal(told(steps, 1e12 + 1), [1e12 - 3, 0, 0, 0, 2])
  assert.equal(told(steps, 3e12), [3e12 - 4, 0, 0, 0, 0])
})

test('before anything is over there are no values', () => {
  const steps = new Steps(100, 10, 1_050, 'sum')
  assert.equal(told(steps, 1_060), [10])
})

test('of one step is told when it is over, and as long as it is kept', () => {
  const steps = new Steps(100, 4, 1_000, 'sum')
  steps.add(1_110, 3)
  assert.is(steps.at(11, 1_199), undefined)
  assert.is(steps.at(11, 1_200), 3)
  assert.is(steps.at(13, 1_400), 0)
  assert.is(steps.at(9, 1_400), undefined)
  assert.is(steps.at(11, 1_600), undefined)
})

test.run()
