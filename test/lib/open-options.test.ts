import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readOpenOptions } from '../../lib/open-options.js'
import { isCoded, thrown } from './support.js'

const refused = (options: unknown, code: 'ERR_FORELOCK_ARGUMENT' | 'ERR_FORELOCK_NAME' = 'ERR_FORELOCK_ARGUMENT') => {
  const error = thrown(() => readOpenOptions(options))
  isCoded(error, code)
  return error
}

test('of an array that is refused the message says how long it was, and of predict that it may be a flag', () => {
  assert.is(refused({ tiers: ['a', 'b', 'c', 'd', 'e'] }).message, 'tiers must be an array of 1 to 4 names, not an array of 5')
  assert.is(refused({ predict: 'yes' }).message, 'predict must be true, false or an object, not "yes"')
})

test('no options open the private arena of the process', () => {
  const { native, reportLeaks } = readOpenOptions(undefined)
  assert.equal(native, { fresh: false })
  assert.is(reportLeaks, false)
})

test('all options are handed to the addon in its terms', () => {
  const { native } = readOpenOptions({
    name: 'orders',
    dir: '/tmp',
    update: true,
    capacity: { elements: 1, waiters: 2, participants: 3, names: 4 },
    tiers: ['low', 'high'],
    ageing: 5,
    claimWithin: 6
  })
  assert.equal(native, {
    name: 'orders',
    dir: '/tmp',
    fresh: false,
    update: true,
    elements: 1,
    waiters: 2,
    participants: 3,
    names: 4,
    tiers: ['low', 'high'],
    ageingMs: 5,
    claimWithinMs: 6
  })
})

test('a virtual clock is of an arena of its own', () => {
  assert.is(readOpenOptions({ clock: 'virtual' }).native.fresh, true)
  assert.is(readOpenOptions({ clock: 'virtual' }).native.virtual, true)
  assert.is(readOpenOptions({ clock: 'monotonic' }).native.virtual, false)
  assert.is(readOpenOptions({ clock: 'virtual', handle: 'x' }).native.fresh, false)
})

test('unknown options are refused by name', () => {
  assert.is(refused({ names: 'orders' }).option, 'names')
  assert.is(refused({ capacity: { slots: 1 } }).option, 'slots')
  assert.match(refused({ predicts: true }).message, /no option "predicts"/)
  refused({ [Symbol('name')]: 1 })
})

test('values of the wrong type or range are refused by name', () => {
  const bad: Record<string, unknown[]> = {
    name: [1, null, {}, Symbol('x')],
    dir: [1, '', 'a\0b', null],
    handle: [1, null, {}],
    fresh: [1, 'yes', null],
    clock: ['real', 1, null],
    update: [1, 'true', null],
    predict: [1, 'true', null, []],
    capacity: [1, 'many', null],
    tiers: ['low', [], ['a', 'a'], ['a', 'b', 'c', 'd', 'e'], [1], [''], ['x'.repeat(32)], ['a\0'], null],
    ageing: [-1, 1.5, Number.NaN, '5', Number.POSITIVE_INFINITY, null],
    claimWithin: [-1, 1.5, Number.NaN, '5', Number.POSITIVE_INFINITY, null],
    autoEnclose: [1, null],
    reportLeaks: [1, null]
  }
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) assert.match(refused(option === 'dir' ? { name: 'a', dir: value } : { [option]: value }).option, option)
  }
  for (const value of [0, -1, 1.5, '5', null, Number.NaN, 2 ** 53]) refused({ capacity: { elements: value } })
  refused({ capacity: { participants: 4096 } })
  for (const options of [null, 5, 'orders', () => {}]) refused(options)
})

test('names of arenas that are no file names are refused', () => {
  for (const name of ['', '.', '..', '../x', 'a/b', 'a\0', '-x', '.hidden', 'x'.repeat(201), 'é', ' '])
    refused({ name }, 'ERR_FORELOCK_NAME')
})

test('options that exclude each other are refused', () => {
  refused({ name: 'a', handle: 'b' })
  refused({ name: 'a', clock: 'virtual' })
  refused({ name: 'a', fresh: true })
  refused({ clock: 'virtual', fresh: false })
  refused({ handle: 'a', fresh: true })
  refused({ dir: '/tmp' })
})

test('each option is read once', () => {
  const reads: PropertyKey[] = []
  const options = new Proxy({ name: 'a', tiers: ['x'], ageing: 1 } as Record<PropertyKey, unknown>, {
    get(target, key) {
      reads.push(key)
      return target[key]
    }
  })
  readOpenOptions(options)
  assert.is(new Set(reads).size, reads.length)
})

test('automatic enclosing is on from Node 24', () => {
  assert.is(readOpenOptions({}).autoEnclose, Number.parseInt(process.versions.node, 10) >= 24)
  assert.is(readOpenOptions({ autoEnclose: false }).autoEnclose, false)
  assert.is(readOpenOptions({ autoEnclose: true }).autoEnclose, true)
})

test.run()
