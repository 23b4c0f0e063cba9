import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { beyondPlace, dryPlace, lonePlace, nameOfPlace } from '../../../lib/shadow/places.js'

test('of every place of a dry rule the name is known, whatever it is', () => {
  for (const name of ['a', '', 'a:1', '\u0000', 'a\u0000b']) {
    for (const place of [dryPlace(name), lonePlace(name), beyondPlace(name)]) assert.equal(nameOfPlace(place), { name, shadow: true })
  }
  assert.equal(nameOfPlace('a'), { name: 'a', shadow: false })
})

test('places for one grant are all different, and different from those of others', () => {
  assert.is(new Set([lonePlace('a'), lonePlace('a'), dryPlace('a'), beyondPlace('a'), beyondPlace('b')]).size, 5)
})

test.run()
