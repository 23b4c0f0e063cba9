import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumericStream } from '../../../lib/predict/stream.js'
import { isCoded, thrown } from '../support.js'

const on = (stream: NumericStream, start: number, step: number, length: number) => [...stream.on(start, step, length)]

test('comes onto the steps of a forecast, whatever the order and wherever they begin', () => {
  const stream = new NumericStream('s')
  for (const [time, value] of [
    [25, 4],
    [12, 1],
    [18, 3],
    [47, 9]
  ] as const) {
    stream.record(time, value)
  }
  assert.equal(on(stream, 10, 10, 4), [2, 4, 4, 9])
  assert.equal(on(stream, 15, 10, 4), [3, 4, 4, 9])
  assert.equal(on(stream, 20, 10, 3), [4, 4, 9])
})

test('is unknown before its first value, goes on as it was between two, and ends with the last', () => {
  const stream = new NumericStream('s', { take: 'last' })
  stream.record(30, 5)
  stream.record(55, 6)
  assert.equal(on(stream, 0, 10, 100), [Number.NaN, Number.NaN, Number.NaN, 5, 5, 6])
  assert.equal(on(stream, 40, 10, 1), [5])
  assert.equal(on(stream, 100, 10, 3), [])
  assert.equal(on(stream, -20, 10, 2), [Number.NaN, Number.NaN])
  assert.equal(on(new NumericStream('none'), 0, 10, 3), [])
})

test('what it was told after it was asked counts', () => {
  const stream = new NumericStream('s', { take: 'sum' })
  stream.record(5, 1)
  assert.equal(on(stream, 0, 10, 3), [1])
  stream.record(6, 2)
  stream.record(15, 7)
  assert.equal(on(stream, 0, 10, 3), [3, 7])
  assert.equal(on(stream, 0, 20, 3), [10])
})

test('a time that is years away does not hide the others', () => {
  const stream = new NumericStream('s', { window: 100 })
  stream.record(5, 1)
  stream.record(8e15, 7)
  stream.record(-8e15, 9)
  stream.record(15, 2)
  assert.equal(on(stream, 0, 10, 2), [1, 2])
})

test('keeps the last values only', () => {
  const stream = new NumericStream('s', { window: 10 })
  for (let i = 0; i < 1_000; i++) stream.record(i, i)
  assert.equal(on(stream, 985, 1, 20).slice(-10), [990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
  assert.ok(Number.isNaN(on(stream, 985, 1, 20)[0]))
})

test('what is no number is not seen, and what is no time is refused', () => {
  const stream = new NumericStream('s')
  stream.record(1, Number.NaN)
  stream.record(1, Number.POSITIVE_INFINITY)
  assert.equal(on(stream, 0, 1, 5), [])
  for (const call of [
    () => stream.record(Number.NaN, 1),
    () => stream.record(1, '1' as never),
    () => stream.record(1e300, 1),
    () => new NumericStream(5 as never),
    () => new NumericStream('s', null as never),
    () => new NumericStream('s', { windows: 5 } as never),
    () => new NumericStream('s', { take: 'min' as never }),
    () => new NumericStream('s', { window: 0 })
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
})

test.run()
