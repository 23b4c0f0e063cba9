import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Fields, readInput, type UsageInput } from '../../../lib/predict/usage-input.js'
import { isCoded, thrown } from '../support.js'

const fieldsOf = (...inputs: UsageInput[]) => {
  const fields = new Fields()
  for (const input of inputs) fields.meet(input)
  return fields
}

test('numbers stand in the order in which they were first seen, and NaN for those that are missing', () => {
  const fields = fieldsOf({ a: 1, b: 2n }, { c: -3 })
  assert.equal([...fields.encode({ c: 5, a: 7 }).numbers], [7, Number.NaN, 5])
})

test('what is neither a finite number nor a string nor a boolean is missing', () => {
  const fields = fieldsOf({ a: 1, b: 'x', c: true })
  const odd = { a: Number.POSITIVE_INFINITY, b: { toString: () => 'x' }, c: null, constructor: 4 } as unknown as UsageInput
  assert.equal([...fields.encode(odd).numbers], [Number.NaN])
  assert.equal(new Set(fields.encode(odd).texts), new Set([0]))
})

test('what every object inherits is no parameter', () => {
  const fields = fieldsOf(JSON.parse('{ "toString": 1, "__proto__": 2 }'))
  assert.equal([...fields.encode({}).numbers], [Number.NaN, Number.NaN])
})

test('a parameter that is now a number and then a string is two', () => {
  const fields = fieldsOf({ size: 4 }, { size: 'large' })
  const [asNumber, asText] = [fields.encode({ size: 4 }), fields.encode({ size: 'large' })]
  assert.is(asNumber.numbers[0], 4)
  assert.ok(Number.isNaN(asText.numbers[0]))
  assert.is(asNumber.texts[3], 0)
  assert.ok(asText.texts[3] !== 0)
})

test('names made of others share their parts', () => {
  const fields = fieldsOf({ path: 'a/b/c.png' })
  const parts = (path: string) => [...fields.encode({ path }).texts]
  const [one, sibling, cousin, alike] = [parts('a/b/c.png'), parts('a/b/d.png'), parts('a/x/c.jpg'), parts('a/b/c.png')]
  assert.equal(one, alike)
  assert.equal(
    one.map((part, i) => part === sibling[i]),
    [true, true, true, false]
  )
  assert.equal(
    one.map((part, i) => part === cousin[i]),
    [true, false, false, false]
  )
  assert.equal(parts('heic').slice(0, 3), [0, 0, 0])
  assert.equal(parts('/-/').slice(0, 3), [0, 0, 0])
})

test('more parameters than it can hold are left out, and the first ones stay', () => {
  const fields = fieldsOf(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i}`, i])))
  assert.equal([...fields.encode({ n0: 1, n5: 2, n6: 3 }).numbers], [1, Number.NaN, Number.NaN, Number.NaN, Number.NaN, 2])
})

test('fields that were saved encode alike', () => {
  const fields = fieldsOf({ a: 1, b: 'x', c: 2 })
  const input = { c: 9, b: 'long name of a thing', a: 3 }
  assert.equal(new Fields(...fields.save()).encode(input), fields.encode(input))
})

test('an input is an object, or none', () => {
  assert.equal(readInput(undefined), {})
  for (const wrong of [null, 5, 'text', [1]])
    isCoded(
      thrown(() => readInput(wrong)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test.run()
