import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { At } from '../../../lib/native/binding.js'
import { KeyCache } from '../../../lib/native/key-cache.js'

const test = suite('the cache of keys')

const LIMIT = 4096

/** Asks for a key as the faces do; its hash is made of a number. True when it was known. */
function ask(cache: KeyCache, scratch: Int32Array, key: string, hash: number): boolean {
  scratch.fill(-1)
  if (cache.recall(key, scratch)) return true
  for (let word = 0; word < 4; word++) scratch[At.Key + word] = hash + word
  cache.note(key, scratch)
  return false
}

test('keys that come again and again are known before long, each with its own hash', () => {
  const cache = new KeyCache()
  const scratch = new Int32Array(72)
  let known = 0
  for (let i = 0; i < 200_000; i++) {
    const number = i % 1000
    if (!ask(cache, scratch, `key ${number}`, number * 10)) continue
    if (i >= 190_000) known++
    for (let word = 0; word < 4; word++) assert.is(scratch[At.Key + word], number * 10 + word)
  }
  assert.ok(known > 9_000, `${known} of the last 10,000`)
})

test('of keys without end only so many are kept, and the hashes stay right', () => {
  const cache = new KeyCache()
  const scratch = new Int32Array(72)
  for (let i = 0; i < LIMIT * 64; i++) {
    const number = i % 3 === 0 ? i % 50 : i
    if (ask(cache, scratch, `key ${number}`, number)) assert.is(scratch[At.Key + 3], number + 3)
  }
  assert.ok((cache as unknown as { places: Map<string, number> }).places.size <= LIMIT)
})

test('long keys are not kept, so that they hold no memory', () => {
  const cache = new KeyCache()
  const scratch = new Int32Array(72)
  const key = 'x'.repeat(65)
  for (let i = 0; i < 1000; i++) assert.is(ask(cache, scratch, key, 1), false)
})

test.run()
