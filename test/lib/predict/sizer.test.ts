import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { doubled, Sizer, stepsOf } from '../../../lib/predict/sizer.js'

const bounds = { first: [500], most: [1000], step: [1] }
const sizer = () => new Sizer({ dimensions: 1 })

test('of what nothing is known it asks for what it is told to, and no more than there may be', () => {
  assert.equal(sizer().size('w', {}, bounds), [500])
  assert.equal(sizer().size('w', {}, { ...bounds, most: [200] }), [200])
})

test('after n requests it asks for the n-th part more than the greatest of them, at least', () => {
  const one = sizer()
  one.learn('w', {}, [100])
  assert.ok((one.size('w', {}, bounds)[0] as number) >= 200)
  one.learn('w', {}, [80])
  const size = one.size('w', {}, bounds)[0] as number
  assert.ok(size >= 150 && size < 200, String(size))
})

test('it learns from the input', () => {
  const one = sizer()
  for (let i = 1; i <= 60; i++) one.learn('w', { bytes: 10 * (i % 20) }, [100 + 5 * (10 * (i % 20))])
  const [small, large] = [20, 180].map(bytes => one.size('w', { bytes }, { ...bounds, most: [5000] })[0] as number) as [number, number]
  assert.ok(small >= 200 && small < 400, `${small}`)
  assert.ok(large >= 1000 && large < 1500, `${large}`)
})

test('sizes are whole steps, one at least, up to the most', () => {
  const one = sizer()
  for (let i = 0; i < 20; i++) one.learn('w', {}, [101])
  assert.is((one.size('w', {}, { ...bounds, step: [64] })[0] as number) % 64, 0)
  assert.equal(one.size('w', {}, { ...bounds, step: [300], most: [250] }), [250])
  for (let i = 0; i < 20; i++) one.learn('idle', {}, [0])
  assert.equal(one.size('idle', {}, { ...bounds, step: [8] }), [8])
})

test('a dimension that was never measured stays as it is asked for at first', () => {
  const one = new Sizer({ dimensions: 2 })
  const both = { first: [500, 7], most: [1000, 9], step: [1, 1] }
  for (let i = 0; i < 20; i++) one.learn('w', {}, [100, Number.NaN])
  const [first, second] = one.size('w', {}, both)
  assert.ok((first as number) < 200)
  assert.is(second, 7)
})

test('what was forgotten is not known', () => {
  const one = sizer()
  one.learn('w', {}, [100])
  one.forget('w')
  assert.equal(one.size('w', {}, bounds), [500])
})

test('twice as much is no more than there may be, and nothing where that is held already', () => {
  assert.equal(doubled([100, 60], [1000, 80]), [200, 80])
  assert.is(doubled([100], [100]), undefined)
})

test('a step is a thousandth of what there is, and one unit at least', () => {
  assert.equal(stepsOf([1024 * 1024, 5]), [1024, 1])
})

test.run()
